// @ts-check
import { LitElement, html, nothing } from './vendor/lit.js';
import { look } from './parts/look.js';
import './parts/actions.js';

/**
 * One button of a screen. `cmd` goes to the firmware, `act` stays in the page; `locked` is the sentence that says why not.
 * @typedef {{label: string, icon?: string, cmd?: string, d?: object, act?: () => void, locked?: string | null,
 *   tone?: 'danger' | 'quiet', badge?: number}} Action
 * @typedef {{back?: Action | null, others?: (Action | null | false | undefined)[], primary?: Action | null, note?: string, mark?: string,
 *   typed?: {label: string, value: string}}} Actions what is typed stands in the bottom bar: above it, the keys need all the room
 * @typedef {Record<string, any>} View what firmware/day/views.py makes
 */

/** Anything drawn by the page: it asks the app to send commands, and never talks to the firmware itself. */
export class Part extends LitElement {
  static styles = [look];

  /** @param {string} cmd @param {object} d */
  send(cmd, d = {}) {
    this.dispatchEvent(new CustomEvent('command', { bubbles: true, composed: true, detail: { cmd, d } }));
  }

  /** @param {string} name @param {unknown} detail */
  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}

/** One screen of the terminal: a body, and the bottom bar with one obvious button. */
export class Screen extends Part {
  static properties = { view: { attribute: false }, mode: { state: true } };

  constructor() {
    super();
    /** @type {View} */
    this.view = { d: {} };
    /** @type {string} a step of the page's own, such as an open keyboard; empty: none */
    this.mode = '';
    this.subject = '';
  }

  /** What was opened for one stop is closed for the next. @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('view')) return;
    const subject = `${this.view.screen} ${this.view.d.stop?.stop_id ?? ''}`;
    if (subject !== this.subject) this.reset();
    this.subject = subject;
  }

  /** Forget what was typed or opened here. */
  reset() {
    this.mode = '';
  }

  /** @returns {Record<string, any>} this screen's data */
  get d() {
    return this.view.d;
  }

  /** @returns {unknown} */
  body() {
    return nothing;
  }

  /** @returns {Actions} */
  actions() {
    return {};
  }

  render() {
    return html`<div class="content">${this.body()}</div><rp-actions .actions=${this.actions()}></rp-actions>`;
  }
}
