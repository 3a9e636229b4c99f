/**
 * Changes a piece of the page into newly rendered HTML without replacing what stays: focus, scroll position,
 * opened details and running charts survive. Children are matched by `data-key`, else by their order.
 */

/** @param {Element} target @param {string} html from this server, where all text is escaped */
export function morph(target, html) {
  children(target, parse(html));
}

/** Puts some rows of a list in place where they stand, new ones at its end; those no longer there go if it is `whole`. */
export function rowsOf(list, html, whole) {
  const known = new Map([...list.children].map((row) => [keyOf(row), row]));
  for (const next of [...parse(html).children]) {
    const same = known.get(keyOf(next));
    known.delete(keyOf(next));
    if (same) node(same, next);
    else list.append(next);
  }
  if (whole) for (const gone of known.values()) gone.remove();
}

function parse(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const wanted = document.createDocumentFragment();
  wanted.append(...parsed.head.childNodes, ...parsed.body.childNodes);
  return wanted;
}

function children(target, wanted) {
  const keyed = new Map();
  for (const child of target.children) if (keyOf(child)) keyed.set(keyOf(child), child);
  let at = target.firstChild;
  for (const next of [...wanted.childNodes]) {
    const same = keyOf(next) ? keyed.get(keyOf(next)) : at && !keyOf(at) && alike(at, next) ? at : null;
    if (!same) {
      target.insertBefore(next, at);
    } else {
      if (same !== at) target.insertBefore(same, at);
      node(same, next);
      at = same.nextSibling;
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function node(same, next) {
  if (same.nodeType !== Node.ELEMENT_NODE) {
    if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
    return;
  }
  if (same.dataset.keep && same.dataset.keep === next.dataset.keep) return;
  for (const { name } of [...same.attributes]) {
    if (!next.hasAttribute(name) && name !== "open") same.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (same.getAttribute(name) !== value) same.setAttribute(name, value);
  }
  children(same, next);
}

function keyOf(child) {
  return child.dataset?.key;
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName;
}
