/** The button that switches between light and dark; without a choice it is as the system has it. */

const KEY = "laurel.scheme";
const root = document.documentElement;

function current() {
  const chosen = localStorage.getItem(KEY);
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** Applies the choice of an earlier visit and makes `button` switch. */
export function schemeSwitch(button) {
  const apply = () => {
    const scheme = current();
    if (localStorage.getItem(KEY)) root.dataset.scheme = scheme;
    button.setAttribute("aria-label", scheme === "dark" ? "Switch to light colours" : "Switch to dark colours");
    button.querySelector("use").setAttribute("href", `/web/shared/icons.svg#${scheme === "dark" ? "sun" : "moon"}`);
  };
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, current() === "dark" ? "light" : "dark");
    apply();
  });
  apply();
}
