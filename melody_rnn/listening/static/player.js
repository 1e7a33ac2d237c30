// Players: an element with data-player that holds an <audio>, a .play button, and
// maybe a piano roll or a progress bar that follow the playback. Without scripts the
// browser's own controls are there instead.

/** Sets up all players of the page; one plays at a time. */
export function setUpPlayers() {
  const players = [];
  for (const element of document.querySelectorAll("[data-player]")) {
    players.push(new Player(element, players));
  }
  return players;
}

class Player {
  /** Pauses the other `players` before it plays. */
  constructor(element, players) {
    this.element = element;
    this.players = players;
    this.audio = element.querySelector("audio");
    this.button = element.querySelector(".play");
    this.roll = element.querySelector(".roll");
    this.progress = element.querySelector(".played");
    this.notes = [...element.querySelectorAll(".roll .note")];
    this.title = this.button.getAttribute("aria-label").replace(/^Play /, "");
    this.audio.controls = false;
    this.audio.hidden = true;
    this.button.hidden = false;
    if (this.progress) this.progress.hidden = false;
    this.button.addEventListener("click", () => this.toggle());
    for (const event of ["play", "pause", "ended", "seeked"]) {
      this.audio.addEventListener(event, () => this.follow());
    }
  }

  get isPlaying() {
    return !this.audio.paused && !this.audio.ended;
  }

  toggle() {
    if (this.isPlaying) {
      this.audio.pause();
      return;
    }
    for (const other of this.players) if (other !== this) other.audio.pause();
    this.audio.play();
  }

  /** Shows what sounds now, and goes on showing while it plays. */
  follow() {
    this.button.classList.toggle("playing", this.isPlaying);
    const verb = this.isPlaying ? "Pause" : "Play";
    this.button.setAttribute("aria-label", `${verb} ${this.title}`);
    if (this.roll) this.followRoll();
    if (this.progress && this.audio.duration) {
      this.progress.value = this.audio.currentTime / this.audio.duration;
    }
    if (this.isPlaying) requestAnimationFrame(() => this.follow());
  }

  followRoll() {
    const { left, stepWidth, steps, secondsPerStep } = this.roll.dataset;
    const step = this.audio.currentTime / secondsPerStep;
    const isShown = !this.audio.ended && this.audio.currentTime > 0;
    const head = this.roll.querySelector(".playhead");
    head.toggleAttribute("hidden", !isShown);
    const x = Number(left) + Math.min(step, steps) * stepWidth;
    head.setAttribute("x1", x);
    head.setAttribute("x2", x);
    for (const note of this.notes) {
      const { start, end } = note.dataset;
      note.classList.toggle("sounding", isShown && start <= step && step < end);
    }
  }
}

/** Calls keys[key](event) for keys that are not meant for what has the focus. */
export function onKeys(keys) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const key = event.key.toLowerCase();
    const focus = document.activeElement;
    const isTyped = focus.matches("input:not([type=radio]), textarea, select");
    // The space bar presses a button; on an answer that is chosen already it plays.
    const isPressed = key === " " && focus.matches("button, summary, input:not(:checked)");
    if (!Object.hasOwn(keys, key) || isTyped || isPressed) return;
    event.preventDefault();
    keys[key](event);
  });
}
