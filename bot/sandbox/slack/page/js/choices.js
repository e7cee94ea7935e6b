// Choosing in an element: what stands there, and what a change sets off.

import { confirmed } from "./confirm.js";

/** Keep a choice, ask when the element asks, and tell the app where that is due. */
export async function choose(element, place, value, node, undo) {
  if (!(await confirmed(element.confirm))) return undo?.();
  place.surface.put(place.blockId, element.action_id, value);
  if (!place.input || place.dispatch) await place.surface.act(place.blockId, element.action_id, value, node);
}

/** The value that stands: what was chosen before, else the element's initial one (kept at once, for the submission). */
export function standing(element, place, initial) {
  const before = place.surface.value(place.blockId, element.action_id);
  if (before && before.type === element.type) return before;
  place.surface.put(place.blockId, element.action_id, initial);
  return initial;
}
