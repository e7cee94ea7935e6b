// What floats above the page: popovers beside an anchor, dialogs in the middle, toasts in the corner.

import { byId, el } from "./dom.js";
import { icon } from "./icons.js";

let popover = null;

/** @returns {{close: () => void, node: HTMLElement}} Only one popover is open at a time. */
export function openPopover(anchor, content, { className = "", align = "start", onClose, focus = true, minimum = 0 } = {}) {
  closePopover();
  const node = el("div.popover", { class: className }, content);
  const returnTo = document.activeElement;
  const close = () => {
    if (popover?.node !== node) return;
    popover = null;
    node.remove();
    anchor.setAttribute?.("aria-expanded", "false");
    onClose?.();
    if (focus && returnTo?.isConnected) returnTo.focus({ preventScroll: true });
  };
  popover = { node, close, anchor };
  anchor.setAttribute?.("aria-expanded", "true");
  byId("layer").append(node);
  place(node, anchor, align, minimum);
  if (focus) (node.querySelector("[autofocus],input,button,[tabindex='0']") || node).focus({ preventScroll: true });
  return popover;
}

export const closePopover = () => popover?.close();
export const popoverIsOpen = () => Boolean(popover);
export const popoverOf = (anchor) => (popover?.anchor === anchor ? popover : null);

function place(node, anchor, align, minimum) {
  const box = anchor.getBoundingClientRect();
  const width = Math.max(node.offsetWidth, minimum);
  if (minimum) node.style.minWidth = `${minimum}px`;
  const left = align === "end" ? box.right - width : box.left;
  const below = innerHeight - box.bottom > node.offsetHeight + 12 || box.top < node.offsetHeight + 12;
  const top = below ? box.bottom + 4 : box.top - node.offsetHeight - 4;
  node.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  node.style.top = `${Math.max(8, Math.min(top, innerHeight - node.offsetHeight - 8))}px`;
  node.classList.add(below ? "from-above" : "from-below");
}

document.addEventListener("pointerdown", (event) => {
  if (popover && !popover.node.contains(event.target) && !popover.anchor.contains?.(event.target)) closePopover();
}, true);
addEventListener("resize", () => closePopover());

/**
 * A list of things to press. Arrow keys move, Enter presses, Escape closes.
 * @param {{label: any, icon?: string, hint?: string, danger?: boolean, checked?: boolean, heading?: string, act?: () => void}[]} entries
 */
export function openMenu(anchor, entries, options = {}) {
  if (popoverOf(anchor)) return closePopover();
  const menu = el("div.menu", { role: "menu" });
  for (const entry of entries) {
    if (entry.separator) menu.append(el("hr"));
    else if (entry.heading) menu.append(el("div.menu-heading", {}, entry.heading));
    else menu.append(menuItem(entry));
  }
  arrowKeys(menu, "[role^=menuitem]");
  return openPopover(anchor, menu, { className: "popover-menu", ...options });
}

function menuItem(entry) {
  const role = entry.checked === undefined ? "menuitem" : "menuitemcheckbox";
  const item = el("button.menu-item", {
    type: "button", role, class: entry.danger ? "is-danger" : "", "aria-checked": entry.checked === undefined ? null : String(entry.checked),
    onclick: () => { closePopover(); entry.act?.(); },
  });
  item.append(entry.icon ? icon(entry.icon) : el("span.menu-gap"), el("span.menu-label", {}, entry.label, entry.hint && el("small", {}, entry.hint)));
  if (entry.checked) item.append(icon("check"));
  return item;
}

/** Up, down, home and end move the focus among what `selector` finds. */
export function arrowKeys(container, selector) {
  container.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...container.querySelectorAll(selector)];
    if (!step && !["Home", "End"].includes(event.key)) return;
    event.preventDefault();
    const at = all.indexOf(document.activeElement);
    const next = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : (at + step + all.length) % all.length;
    all[next]?.focus();
  });
}

/**
 * A dialog in the middle of the page that holds the focus.
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function openDialog(content, { className = "", label, onCancel } = {}) {
  closePopover();
  const returnTo = document.activeElement;
  const panel = el("div.dialog", { class: className, role: "dialog", "aria-modal": "true", "aria-label": label || null, tabindex: "-1" }, content);
  const node = el("div.scrim", {}, panel);
  const close = () => {
    node.remove();
    if (returnTo?.isConnected) returnTo.focus({ preventScroll: true });
  };
  node.addEventListener("keydown", (event) => {
    if (event.key === "Tab") holdFocus(event, panel);
    if (event.key === "Escape" && !event.defaultPrevented && !popover) {
      event.stopPropagation();
      onCancel ? onCancel() : close();
    }
  });
  node.addEventListener("pointerdown", (event) => event.target === node && !popover && onCancel && className.includes("light-dismiss") && onCancel());
  byId("layer").append(node);
  (panel.querySelector("[autofocus]") || panel.querySelector("input,textarea,select,[contenteditable],button.primary,button") || panel).focus({ preventScroll: true });
  return { node, panel, close };
}

const FOCUSABLE = "a[href],button:not([disabled]),input:not([disabled]),textarea,select,[tabindex='0'],[contenteditable='true']";

function holdFocus(event, panel) {
  const all = [...panel.querySelectorAll(FOCUSABLE)].filter((node) => node.offsetParent !== null);
  const [first, last] = [all[0], all.at(-1)];
  if (!first) return event.preventDefault();
  if (event.shiftKey && (document.activeElement === first || document.activeElement === panel)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first.focus();
  }
}

export function toast(text, kind = "") {
  const node = el("div.toast", { class: kind }, kind === "danger" ? icon("warning") : icon("check"), el("span", {}, text));
  byId("toasts").append(node);
  setTimeout(() => node.classList.add("is-leaving"), 4200);
  setTimeout(() => node.remove(), 4600);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && popover) {
    event.preventDefault();
    event.stopPropagation();
    closePopover();
  }
}, true);
