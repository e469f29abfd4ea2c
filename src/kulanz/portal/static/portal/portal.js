// Copy buttons; without scripts the details are there to read and select.
const list = document.querySelector("dl.copy");
const status = document.getElementById("copied");
if (list && navigator.clipboard) {
  for (const button of list.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const words = button.firstChild.textContent;
      status.textContent = `${list.dataset.done}: ${button.querySelector(".unseen").textContent.trim()}`;
      button.firstChild.textContent = list.dataset.done;
      setTimeout(() => { button.firstChild.textContent = words; }, 2000);
    });
  }
}
