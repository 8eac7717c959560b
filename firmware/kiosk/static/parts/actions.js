// @ts-check
import { LitElement, html, css, nothing } from '../vendor/lit.js';
import { t } from '../i18n.js';
import { button, press } from './button.js';
import { icon } from './icons.js';
import { look } from './look.js';

const SETTLE_MS = 250; // a bounced or double tap must not press the next screen's button; nobody reads and taps faster

/** The bottom bar: back at one end, the one obvious button always at the other, what else there is between. */
class Bar extends LitElement {
  static properties = { actions: { attribute: false }, settling: { state: true } };
  static styles = [look, css`
    :host { display: block; background: var(--surface); border-block-start: var(--line) solid var(--hair); }
    nav { display: flex; flex-direction: var(--bar); gap: var(--gap); padding: var(--gap) var(--pad); align-items: stretch; min-block-size: calc(var(--primary) + var(--gap) * 2); }
    .others { flex: 1; display: flex; flex-direction: var(--bar); gap: var(--gap); min-inline-size: 0; justify-content: flex-end; }
    .others .key { flex: 0 1 auto; max-inline-size: calc(var(--mm) * 46); font-size: calc(var(--mm) * 3.7); min-inline-size: calc(var(--mm) * 20); }
    .key.back { flex: none; padding-inline: calc(var(--mm) * 2); font-size: calc(var(--mm) * 3.7); }
    .key.primary { flex: none; inline-size: calc(var(--mm) * 52); }
    .note { flex: 1; align-self: center; color: var(--ink); font-size: var(--large); font-weight: 600; line-height: 1.1; display: flex; align-items: center; gap: var(--gap); }
    .note.mild { font-size: var(--small); color: var(--quiet); font-weight: 500; }
    .note ~ .others { flex: none; }
    output { flex: 1; min-inline-size: 0; display: flex; align-items: center; background: var(--ground); border-radius: var(--radius); padding-inline: var(--pad); font-size: calc(var(--mm) * 5); font-weight: 700; overflow: hidden; white-space: pre; justify-content: flex-start; }
    output bdi { min-inline-size: 0; overflow: hidden; }
    output .label { margin-inline-end: var(--gap); flex: none; }
    output::after { content: ""; flex: none; inline-size: calc(var(--mm) * 0.6); block-size: 1.1em; background: var(--accent); margin-inline-start: calc(var(--mm) * 0.5); }
    @media (orientation: portrait) {
      output { order: -1; flex: 1 0 100%; min-block-size: calc(var(--mm) * 14); }
      nav { flex-wrap: wrap; }
      .others { order: -1; flex: 1 0 100%; }
      .others:empty { display: none; }
      .note { font-size: calc(var(--mm) * 4.8); }
      .note ~ .others { order: 0; flex: none; }
      .others .key { flex: 1 1 0; max-inline-size: none; }
      .key.primary { flex: 1; inline-size: auto; }
    }`];

  constructor() {
    super();
    /** @type {import('../element.js').Actions} */
    this.actions = {};
    this.settling = false;
    this.shown = '';
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('actions')) return;
    const { label = '', cmd = '' } = this.actions.primary ?? {};
    const shown = `${label}|${cmd}`;
    if (shown !== this.shown) this.settle();
    this.shown = shown;
  }

  settle() {
    this.settling = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.settling = false; }, SETTLE_MS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  /** @param {string} cmd @param {object} d */
  send(cmd, d = {}) {
    this.dispatchEvent(new CustomEvent('command', { bubbles: true, composed: true, detail: { cmd, d } }));
  }

  /** @param {string} name @param {unknown} detail */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }

  /** @param {import('../element.js').Action} action */
  primary(action) {
    const off = this.settling || Boolean(action.locked);
    return html`<button type="button" class="key primary ${action.locked ? 'locked' : action.tone ?? ''}" data-primary
      data-cmd=${action.cmd ?? nothing} aria-disabled=${off ? 'true' : nothing} @click=${() => this.settling || press(this, action)}>
      ${action.icon ? icon(action.icon) : nothing}<span class="text">${action.label}${action.locked ? html`<span class="why">${action.locked}</span>` : nothing}</span></button>`;
  }

  render() {
    const { back, others = [], primary, note, mark = 'lock', typed } = this.actions;
    const label = back ? { icon: 'back', ...back } : null;
    return html`<nav aria-label=${t('bar.actions')}>
      ${label ? button(this, label, 'back') : nothing}
      ${note ? html`<p class="note ${mark === 'lock' ? '' : 'mild'}">${icon(mark)}<span>${note}</span></p>` : nothing}
      ${typed ? html`<output aria-live="polite" aria-label=${typed.label}><span class="label">${typed.label}</span><bdi>${typed.value}</bdi></output>` : nothing}
      <div class="others" ?hidden=${Boolean(typed)}>${others.filter(Boolean).map((other) => button(this, /** @type {any} */ (other)))}</div>
      ${primary ? this.primary(primary) : nothing}</nav>`;
  }
}

customElements.define('rp-actions', Bar);
