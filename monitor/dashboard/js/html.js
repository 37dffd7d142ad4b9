// html`...` makes Preact elements: text is always a text node, never markup.
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
