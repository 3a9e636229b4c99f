/** The one place that decides light or dark: the style sheet follows the attribute, the chart asks for colours. */

const YEAR_S = 31536000;
const system = matchMedia("(prefers-color-scheme: dark)");
const followers = [];

export function watchTheme() {
  for (const link of document.querySelectorAll("[data-set-theme]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      set(link.dataset.setTheme);
    });
  }
  for (const link of document.querySelectorAll("[data-language]")) {
    link.addEventListener("click", () => remember("lang", link.dataset.language));
  }
  system.addEventListener("change", changed);
}

export function onTheme(changed) {
  followers.push(changed);
}

/** A token of the style sheet as the colour it is now. */
export function colour(token) {
  const probe = document.createElement("i");
  probe.hidden = true;
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function set(theme) {
  remember("theme", theme);
  document.documentElement.dataset.theme = theme;
  for (const link of document.querySelectorAll("[data-set-theme]")) {
    if (link.dataset.setTheme === theme) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const address = new URL(location.href);
  address.searchParams.set("theme", theme);
  history.replaceState(history.state, "", address);
  changed();
}

function changed() {
  for (const follow of followers) follow();
}

function remember(name, value) {
  document.cookie = `scenewatch-${name}=${value}; path=/; max-age=${YEAR_S}; samesite=lax`;
}
