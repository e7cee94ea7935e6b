// One surface with blocks (a message, a modal, App Home): what people chose in it, and pressing its elements.

import { post, sentence } from "./api.js";
import { emit } from "./state.js";

/** Choices live beyond redrawing: container key -> block id -> action id -> value. */
const kept = new Map();
const pressing = new Set();

const keyOf = (container) => container.view_id || `${container.channel} ${container.ts}`;

export class Surface {
  /** @param {{type: "message"|"view"}} container  @param {"message"|"modal"|"home"} kind */
  constructor(container, kind) {
    this.container = container;
    this.kind = kind;
    this.key = keyOf(container);
    if (!kept.has(this.key)) kept.set(this.key, new Map());
    this.errors = {};
    this.channel = container.channel || "";
  }

  /** What was chosen before; undefined when never. */
  value(blockId, actionId) {
    return kept.get(this.key)?.get(blockId)?.[actionId];
  }

  put(blockId, actionId, value) {
    const blocks = kept.get(this.key) || new Map();
    kept.set(this.key, blocks);
    blocks.set(blockId, { ...blocks.get(blockId), [actionId]: value });
  }

  /** state.values of the blocks that stand here now. */
  state(blocks) {
    const values = {};
    for (const [blockId, actions] of kept.get(this.key) || []) {
      if (!blocks || blocks.has(blockId)) values[blockId] = actions;
    }
    return values;
  }

  forget() {
    kept.delete(this.key);
  }

  isPressing(blockId, actionId) {
    return pressing.has(`${this.key} ${blockId} ${actionId}`);
  }

  /**
   * Send a choice to the app. The element shows that it waits, and takes no second press until the answer.
   * @returns {Promise<boolean>} whether the app acknowledged
   */
  async act(blockId, actionId, value, node) {
    const mark = `${this.key} ${blockId} ${actionId}`;
    if (pressing.has(mark)) return false;
    pressing.add(mark);
    node?.classList.add("is-busy");
    node?.setAttribute("aria-busy", "true");
    const answer = await post("actions", {
      container: this.container, block_id: blockId, action_id: actionId, value, state: this.state(),
    });
    pressing.delete(mark);
    for (const shown of document.querySelectorAll(`[data-press="${CSS.escape(mark)}"]`)) release(shown);
    if (node) release(node);
    if (!answer.ok) this.complain(answer);
    return answer.ok;
  }

  complain(answer) {
    const text = answer.message || sentence(answer.error);
    if (this.channel) emit("notice", this.channel, answer.error === "operation_timeout" ? "We had some trouble connecting. Try again?" : text);
    else emit("toast", text, "danger");
  }

  pressMark(blockId, actionId) {
    return `${this.key} ${blockId} ${actionId}`;
  }
}

function release(node) {
  node.classList.remove("is-busy");
  node.removeAttribute("aria-busy");
}
