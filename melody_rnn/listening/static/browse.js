import { onKeys, setUpPlayers } from "./player.js";

const players = setUpPlayers();
let current = Math.max(0, players.findIndex((p) => `#${p.element.id}` === location.hash));

function choose(index) {
  if (!players[index]) return;
  players[current].element.classList.remove("current");
  current = index;
  players[current].element.classList.add("current");
}

function goTo(index) {
  if (!players[index]) return;
  players[current].audio.pause();
  choose(index);
  players[index].element.scrollIntoView({ block: "nearest" });
  players[index].button.focus();
}

players.forEach((player, index) => {
  player.audio.addEventListener("play", () => choose(index));
  player.button.addEventListener("focus", () => choose(index));
  const form = player.element.querySelector("form.favourite");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep(form);
  });
});

/** Posts the form without leaving the page, and turns its star. */
async function keep(form) {
  const star = form.querySelector("button");
  const fields = new URLSearchParams(new FormData(form));
  fields.set("keep", star.value);
  const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
  if (answer.type !== "opaqueredirect") return form.submit();
  star.setAttribute("aria-pressed", String(star.value === "1"));
  star.value = star.value === "1" ? "0" : "1";
}

const more = document.querySelector("form.more");
more?.addEventListener("submit", () => {
  more.querySelector("button").disabled = true;
  more.querySelector(".hint").textContent = "Generating …";
});

onKeys({
  " ": () => players[current]?.toggle(),
  n: () => goTo(current + 1),
  p: () => goTo(current - 1),
  f: () => players[current] && keep(players[current].element.querySelector("form.favourite")),
});
