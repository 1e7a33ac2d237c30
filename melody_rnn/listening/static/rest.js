import { onKeys } from "./player.js";

onKeys({ n: () => document.querySelector("#next")?.click() });
