// The button that must be held. The page only says "held" again and again and "let go" once; the
// meter counts the three seconds, so a page that dies in between counts as let go.

import { send } from "./session.js";

const REPEAT_MS = 400;

export function holdButton(button, { onChange, onFailure }) {
  let repeat = null;
  let last = Promise.resolve();
  let busy = 0;

  // One after the other, so that a release never overtakes the press before it.
  function tell(verb) {
    busy += 1;
    last = last
      .then(() => send("/" + verb))
      .then((taken) => onFailure(!taken))
      .finally(() => (busy -= 1));
  }

  function start() {
    if (repeat !== null || button.disabled) return;
    repeat = setInterval(() => busy || tell("press"), REPEAT_MS);
    tell("press");
    onChange(true);
  }

  function stop() {
    if (repeat === null) return;
    clearInterval(repeat);
    repeat = null;
    tell("release");
    onChange(false);
  }

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    // A finger that wobbles off the edge still holds.
    button.setPointerCapture(event.pointerId);
    start();
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
    button.addEventListener(name, stop);
  }
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) start();
  });
  button.addEventListener("keyup", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    stop();
  });
  addEventListener("blur", stop);
  addEventListener("pagehide", stop);
  document.addEventListener("visibilitychange", () => document.hidden && stop());

  return { stop };
}
