// Modals: a stack of views, the topmost shown; what is wrong stands at its field.

import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./chips.js";
import { blockList } from "./blocks.js";
import { Surface } from "./actions.js";
import { get, post } from "./api.js";
import { openDialog } from "./layer.js";
import { textNodes } from "./mrkdwn.js";
import { on, state } from "./state.js";
import { faultsOf } from "./validation.js";

let dialog = null;
let surface = null;
let drawn = "";

const topView = () => state.stack.at(-1);

export function drawModal() {
  const view = topView();
  if (!view) return shut();
  if (!dialog) dialog = openDialog([], { className: "dialog-modal", onCancel: () => close(false) });
  const stamp = `${view.id} ${view.hash} ${state.stack.length}`;
  if (stamp === drawn) return;
  const fresh = !drawn.startsWith(view.id);
  drawn = stamp;
  surface = new Surface({ type: "view", view_id: view.id }, "modal");
  redraw(view, fresh);
}

function shut() {
  if (!dialog) return;
  dialog.close();
  dialog = null;
  drawn = "";
}

function redraw(view, fresh) {
  const focused = focusMark();
  const body = el("div.dialog-body", {}, el("div.modal-error", { role: "alert", hidden: true }), blockList(view.blocks, surface));
  const scrolled = dialog.panel.querySelector(".dialog-body")?.scrollTop || 0;
  dialog.panel.setAttribute("aria-label", view.title?.text || "Dialog");
  dialog.panel.dataset.view = view.id;
  fill(dialog.panel, head(view), body, foot(view));
  if (fresh) focusFirst();
  else {
    body.scrollTop = scrolled;
    restoreFocus(focused);
  }
}

function head(view) {
  return el("header.dialog-head", {},
    state.stack.length > 1 && el("button.icon-button", { type: "button", "aria-label": "Back", onclick: () => close(false) }, icon("left")),
    avatar(state.app.bot_user_id, "", "s"), el("h2", {}, textNodes(view.title)),
    el("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => close(true) }, icon("close")));
}

function foot(view) {
  const needsSubmit = view.submit || view.blocks.some((block) => block.type === "input");
  return el("footer.dialog-foot", {},
    el("button.button.modal-close", { type: "button", onclick: () => close(false) }, view.close ? textNodes(view.close) : "Cancel"),
    needsSubmit && el("button.button.primary.modal-submit", { type: "button", onclick: submit }, el("span.button-label", {}, view.submit ? textNodes(view.submit) : "Submit"), el("span.spinner", { "aria-hidden": "true" })));
}

const focusMark = () => document.activeElement?.dataset?.action || "";

function restoreFocus(action) {
  const field = action && dialog.panel.querySelector(`[data-action="${CSS.escape(action)}"]`);
  (field || dialog.panel).focus({ preventScroll: true });
}

function focusFirst() {
  const panel = dialog.panel;
  (panel.querySelector("[autofocus]") || panel.querySelector(".dialog-body input:not([type=file]),.dialog-body textarea,.dialog-body .select") || panel.querySelector(".modal-submit") || panel).focus({ preventScroll: true });
}

function showFaults(view, faults) {
  surface.errors = faults;
  redraw(view, false);
  const first = dialog.panel.querySelector(".has-error");
  first?.scrollIntoView({ block: "center" });
  first?.querySelector("input,textarea,button")?.focus({ preventScroll: true });
}

function inputsOf(blocks) {
  return blocks.flatMap((block) => [block, ...(block.child_blocks || [])]);
}

async function submit() {
  const view = topView();
  const button = dialog?.panel.querySelector(".modal-submit");
  if (!view || !button || button.classList.contains("is-busy")) return;
  const blocks = inputsOf(view.blocks);
  const values = surface.state(new Set(blocks.map((block) => block.block_id)));
  const faults = faultsOf(blocks, values);
  if (Object.keys(faults).length) return showFaults(view, faults);
  button.classList.add("is-busy");
  button.disabled = true;
  const answer = await post("views/submit", { view_id: view.id, state: values });
  button.classList.remove("is-busy");
  button.disabled = false;
  if (answer.errors) return topView()?.id === view.id && showFaults(topView(), answer.errors);
  if (!answer.ok) return complain();
  surface.errors = {};
  await refreshStack();
}

function complain() {
  const place = dialog?.panel.querySelector(".modal-error");
  if (!place) return;
  place.hidden = false;
  fill(place, icon("warning"), "We had some trouble connecting. Try again?");
}

async function close(everything) {
  const view = topView();
  if (!view) return;
  const clear = everything || view.clear_on_close;
  state.stack = clear ? [] : state.stack.slice(0, -1);
  new Surface({ type: "view", view_id: view.id }, "modal").forget();
  drawModal();
  await post("views/close", { view_id: view.id, ...(clear ? { clear: true } : {}) });
}

/** Ask what is open: after submitting, and after the connection was lost. */
export async function refreshStack() {
  const answer = await get("views");
  if (!answer.ok) return;
  state.stack = answer.stack;
  drawModal();
}

on("modal", drawModal);
on("submit-view", submit);
