import { onKeys, setUpPlayers } from "./player.js";

const players = setUpPlayers();
const heard = new Set();
const form = document.querySelector("#vote");
const next = document.querySelector("#next");
const hint = document.querySelector("#hint");

function showWhatIsMissing() {
  const hasAnswer = form.querySelector("input[name=rating]:checked") !== null;
  const isComplete = hasAnswer && heard.size === players.length;
  next.disabled = !isComplete;
  if (heard.size < players.length) hint.textContent = "Listen to both melodies first.";
  else hint.textContent = hasAnswer ? "" : "Now choose an answer.";
}

function submit() {
  if (!next.disabled) form.requestSubmit(next);
}

function choose(rating) {
  form.querySelector(`input[value="${rating}"]`).checked = true;
  showWhatIsMissing();
}

/** Pauses what plays; else plays on, or what comes after the melody heard last. */
function playInTurn() {
  const playing = players.find((player) => player.isPlaying);
  const paused = players.find(({ audio }) => audio.currentTime > 0 && !audio.ended);
  const after = players[(lastPlayed + 1) % players.length];
  (playing ?? paused ?? after).toggle();
}

let lastPlayed = -1;
players.forEach((player, index) => {
  player.audio.addEventListener("play", () => {
    if (lastPlayed !== index && players[lastPlayed]) {
      players[lastPlayed].audio.currentTime = 0;
    }
    lastPlayed = index;
    heard.add(index);
    showWhatIsMissing();
  });
});
form.addEventListener("change", showWhatIsMissing);
form.addEventListener("submit", () => {
  next.disabled = true; // the second click of a double click is no second vote
});
window.addEventListener("pageshow", showWhatIsMissing);

onKeys({
  " ": playInTurn,
  a: () => players[0].toggle(),
  b: () => players[1].toggle(),
  n: submit,
  enter: submit,
  ...Object.fromEntries([1, 2, 3, 4, 5].map((rating) => [rating, () => choose(rating)])),
});
