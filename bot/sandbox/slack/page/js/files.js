// Files of messages: images are drawn, the rest are cards to open or download.

import { el, localImage, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { picture } from "./pictures.js";
import { size } from "./time.js";

const isPicture = (file) => /^image\/(png|jpeg|gif)$/.test(file.mimetype || "");

export function fileCard(file) {
  const address = localImage(file.url_private) || file.url_private || "";
  if (isPicture(file) && localImage(address)) {
    return el("figure.file-picture", {}, el("figcaption", {}, file.title || file.name), picture({ image_url: address, alt_text: file.alt_txt || file.title || file.name }, "full"));
  }
  const kind = el("span.file-kind", { class: `kind-${(file.filetype || "").replace(/\W/g, "")}` }, icon("file"));
  const text = el("span.file-text", {}, el("span.file-name", {}, file.title || file.name || "file"),
    el("small", {}, [file.pretty_type || file.filetype?.toUpperCase(), size(file.size)].filter(Boolean).join(" · ")));
  const href = address && safeUrl(address);
  if (!href) return el("div.file-card", {}, kind, text);
  return el("div.file-card", {}, kind, text,
    el("a.icon-button", { href, target: "_blank", rel: "noopener noreferrer", "aria-label": `Open ${file.name}`, title: "Open" }, icon("external")),
    el("a.icon-button", { href, download: file.name || "file", "aria-label": `Download ${file.name}`, title: "Download" }, icon("download")));
}
