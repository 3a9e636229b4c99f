/** The page's address says what is shown, so that it can be handed on and the browser's Back leads back. */

/** What is empty is not said. */
export function go(changes) {
  const address = new URL(location.href);
  put(address, changes);
  history.pushState(history.state, "", address);
  retarget();
}

export function replace(changes) {
  const address = new URL(location.href);
  put(address, changes);
  history.replaceState(history.state, "", address);
  retarget();
}

function put(address, changes) {
  for (const [key, value] of Object.entries(changes)) {
    if (value) address.searchParams.set(key, value);
    else address.searchParams.delete(key);
  }
}

/** The links to other languages keep what is chosen. */
function retarget() {
  for (const link of document.querySelectorAll("[data-language]")) {
    const address = new URL(location.href);
    address.searchParams.set("lang", link.dataset.language);
    link.href = address.pathname + address.search;
  }
}
