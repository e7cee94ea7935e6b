// Making elements. Content is only ever set as text nodes; nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag  "div.message.first" makes a div with two classes
 * @param {Record<string, any>} [attributes]  on… are listeners, data is the dataset, vars are CSS variables
 * @param {...(Node|string|number|null|undefined|false|Array)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.className = classes.join(" ");
  apply(node, attributes);
  return append(node, children);
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  apply(node, attributes);
  return append(node, children);
}

function apply(node, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "vars") setVariables(node, value);
    else if (name === "class") value.split(/\s+/).filter(Boolean).forEach((one) => node.classList.add(one));
    else if (name === "value" && "value" in node) node.value = value;
    else if (name === "checked" || name === "disabled" || name === "hidden") node[name] = true;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

function setVariables(node, variables) {
  for (const [name, value] of Object.entries(variables)) node.style.setProperty(`--${name}`, String(value));
}

/** @returns {any} the node, with text made of everything that is no node */
export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

export const byId = (id) => document.getElementById(id);

/** An address that a click may follow, or null: only http, https and mailto, never javascript: or data:. */
export function safeUrl(address) {
  const text = String(address ?? "").trim();
  try {
    const url = new URL(text, location.href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that opens elsewhere and tells nothing about this page; plain text when the address is refused. */
export function link(address, label, attributes = {}) {
  const href = safeUrl(address);
  if (!href) return el("span.dead-link", { title: "This link was not made clickable" }, label);
  const here = new URL(href).origin === location.origin && new URL(href).hash.startsWith("#/");
  const target = here ? {} : { target: "_blank", rel: "noopener noreferrer" };
  return el("a", { href, ...target, ...attributes }, label);
}

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Images come from this machine only (under whichever of its names); the content policy would refuse any other. */
export function localImage(address) {
  const href = address && safeUrl(address);
  if (!href) return null;
  const url = new URL(href);
  if (url.origin === location.origin) return href;
  const sameServer = LOOPBACK.has(url.hostname) && LOOPBACK.has(location.hostname) && url.port === location.port;
  return sameServer ? `${location.origin}${url.pathname}${url.search}` : null;
}

export function debounce(wait, action) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), wait);
  };
}

export function announce(text) {
  const place = byId("announcer");
  place.textContent = "";
  requestAnimationFrame(() => (place.textContent = text));
}
