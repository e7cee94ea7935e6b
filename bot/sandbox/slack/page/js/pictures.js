// Images of blocks. Only this machine's own are drawn; any other is named, with a link, because the page asks nobody else for anything.

import { el, link, localImage, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { openDialog } from "./layer.js";
import { state } from "./state.js";

function addressOf(image) {
  if (image.image_url || image.url) return image.image_url || image.url;
  const file = image.slack_file || {};
  if (file.url) return file.url;
  const known = [...state.messages.values()].flatMap((found) => [...found.values()]).flatMap((message) => message.files || []);
  return known.find((one) => one.id === file.id)?.url_private || (file.id ? `/files/${file.id}/image` : "");
}

/** @param {"thumb"|"icon"|"full"|"hero"} size */
export function picture(image, size) {
  const label = image.alt_text || "image";
  const src = localImage(addressOf(image));
  if (!src) return elsewhere(image, size, label);
  const node = el(`img.picture.picture-${size}`, { src, alt: label, loading: "lazy", title: size === "icon" ? label : null });
  node.addEventListener("error", () => node.replaceWith(el("span.picture-missing", {}, icon("file"), label)));
  if (size !== "full") return node;
  return el("button.picture-open", { type: "button", "aria-label": `Enlarge: ${label}`, onclick: () => enlarge(src, label) }, node);
}

function elsewhere(image, size, label) {
  const address = safeUrl(addressOf(image));
  if (size === "icon") return el("span.picture-missing.tiny", { title: `${label} (image elsewhere)` }, icon("file"));
  if (!address) return el("span.picture-missing", {}, icon("file"), label);
  return link(address, [icon("external"), el("span", {}, label), el("small", {}, new URL(address).hostname)], { class: `picture-missing elsewhere-${size}` });
}

export function enlarge(src, label) {
  const dialog = openDialog(
    [el("button.icon-button.viewer-close", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close")),
      el("img", { src, alt: label }), el("p", {}, label)],
    { className: "viewer light-dismiss", label, onCancel: () => dialog.close() });
}
