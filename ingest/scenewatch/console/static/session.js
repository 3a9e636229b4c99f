/** Says in the frame of every page who is signed in; the link there leads to sign-in and back to this place. */

const KNOWN = "scenewatch-name";

const who = document.getElementById("who");
const signIn = who.textContent;

function show(name) {
  who.textContent = name || signIn;
  who.classList.toggle("known", Boolean(name));
  if (name) who.title = who.dataset.as.replace("{name}", name);
  else who.removeAttribute("title");
}

// What was true on the last page, so that the frame does not move on each.
show(sessionStorage.getItem(KNOWN));
who.addEventListener("click", () => {
  if (location.pathname === "/sign-in") return;
  const address = new URL(who.href);
  address.searchParams.set("next", location.pathname + location.search + location.hash);
  who.href = address;
});
try {
  const response = await fetch("/api/v1/sessions/current");
  const { name } = response.ok ? await response.json() : {};
  show(name);
  if (name) sessionStorage.setItem(KNOWN, name);
  else sessionStorage.removeItem(KNOWN);
} catch {
  // The connection's state is shown; the next page asks again.
}
