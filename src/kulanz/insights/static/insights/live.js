// Puts new payments and changed figures on the dashboard as the server sends them. Without it the page stays as loaded.
const board = document.querySelector("[data-stream]");
const list = document.querySelector("[data-live-list]");
const state = document.querySelector("[data-live-state]");

function arrive({ id, html }) {
  if (list.querySelector(`[data-arrival="${id}"]`)) return;
  const template = document.createElement("template");
  template.innerHTML = html;
  const row = template.content.firstElementChild;
  row.classList.add("fresh");
  list.prepend(row);
  while (list.children.length > Number(list.dataset.keep)) list.lastElementChild.remove();
}

function show({ text, html }) {
  for (const [name, value] of Object.entries(text)) {
    const place = document.querySelector(`[data-live="${name}"]`);
    if (place && place.textContent !== value) place.textContent = value;
  }
  for (const [name, value] of Object.entries(html)) {
    const place = document.querySelector(`[data-live-html="${name}"]`);
    if (place) place.innerHTML = value;
  }
}

if (board && "EventSource" in window) {
  const source = new EventSource(board.dataset.stream);
  source.addEventListener("open", () => { state.hidden = false; });
  source.addEventListener("error", () => { state.hidden = true; });
  source.addEventListener("payment", (event) => arrive(JSON.parse(event.data)));
  source.addEventListener("figures", (event) => show(JSON.parse(event.data)));
  window.addEventListener("pagehide", () => source.close());
}
