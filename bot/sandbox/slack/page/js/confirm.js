// The question before an act: confirm objects of Block Kit.

import { el } from "./dom.js";
import { icon } from "./icons.js";
import { openDialog } from "./layer.js";
import { textNodes } from "./mrkdwn.js";

/** @returns {Promise<boolean>} true when the person said yes */
export function confirmed(question) {
  if (!question) return Promise.resolve(true);
  return new Promise((answer) => {
    const settle = (value) => {
      dialog.close();
      answer(value);
    };
    const style = question.style === "danger" ? "danger" : "primary";
    const content = [
      el("header.dialog-head", {}, el("h2", {}, textNodes(question.title || "Are you sure?")),
        el("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => settle(false) }, icon("close"))),
      el("div.dialog-body.prose", {}, textNodes(question.text || "")),
      el("footer.dialog-foot", {},
        el("button.button", { type: "button", onclick: () => settle(false) }, textNodes(question.deny || "Cancel")),
        el(`button.button.${style}`, { type: "button", autofocus: true, onclick: () => settle(true) }, textNodes(question.confirm || "Yes"))),
    ];
    const dialog = openDialog(content, { className: "dialog-confirm", label: "Confirm", onCancel: () => settle(false) });
  });
}
