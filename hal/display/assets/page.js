// The smallest changes to the page: nothing is touched that reads the same already.

export function write(id, text) {
  const target = document.getElementById(id);
  if (target.textContent !== text) target.textContent = text;
}

export function show(id, visible) {
  document.getElementById(id).hidden = !visible;
}

// An element with words in it; `attributes` may hold data-* and the like.
export function made(name, attributes = {}, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

let spoken = null;

// What a screen reader is told: one place speaks, so that nothing talks over anything.
export function say(words) {
  if (words === spoken) return;
  spoken = words;
  document.getElementById("say").textContent = words;
}
