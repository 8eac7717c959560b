// @ts-check
import { html, nothing } from '../vendor/lit.js';
import { icon } from './icons.js';

/**
 * @typedef {import('../element.js').Action} Action
 * @typedef {{send: (cmd: string, d?: object) => void, tell: (name: string, detail: unknown) => void}} Host whoever draws the button
 */

/**
 * A button of one action. A locked one stays where it is, says why, and tells the reason to whoever taps it.
 * @param {Host} host @param {Action} action @param {string} look
 */
export function button(host, action, look = '') {
  const locked = Boolean(action.locked);
  return html`<button type="button" class="key ${look} ${action.tone ?? ''} ${locked ? 'locked' : ''}"
    aria-disabled=${locked ? 'true' : nothing} data-cmd=${action.cmd ?? nothing} @click=${() => press(host, action)}>
    ${action.icon ? icon(action.icon) : nothing}<span class="text">${action.label}${locked ? html`<span class="why">${action.locked}</span>` : nothing}</span>
    ${action.badge ? html`<span class="badge"><bdi>${action.badge}</bdi></span>` : nothing}</button>`;
}

/** @param {Host} host @param {Action} action */
export function press(host, action) {
  if (action.locked) host.tell('locked', action.locked);
  else if (action.act) action.act();
  else if (action.cmd) host.send(action.cmd, action.d);
}
