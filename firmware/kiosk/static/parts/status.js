// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Part } from '../element.js';
import { amount, clock, number } from '../format.js';
import { known, say, t, word } from '../i18n.js';
import { fitted } from './fit.js';
import { look } from './look.js';
import { icon } from './icons.js';

/** @type {Record<string, string>} */
const MARKS = { ok: 'ok', dup: 'dup', wrong: 'wrong', unknown: 'unknown', info: 'info' };

/** The top line: menu, what this is, and how the unit is. A verdict takes all of it for some seconds, with a mark and a word. */
class Status extends Part {
  static properties = { view: { attribute: false }, bar: { attribute: false }, toast: { attribute: false }, aside: { attribute: false }, word: { attribute: false } };

  static styles = [look, css`
    :host { display: block; background: var(--surface); border-block-end: var(--line) solid var(--hair); block-size: var(--top); }
    .line { display: flex; align-items: center; gap: var(--gap); block-size: 100%; padding-inline-end: var(--pad); overflow: hidden; }
    .key { border: 0; border-radius: 0; background: transparent; align-self: stretch; padding: 0; min-inline-size: calc(var(--mm) * 13); min-block-size: calc(var(--mm) * 12); }
    .key .badge { position: absolute; inset-block-start: calc(var(--mm) * 1); inset-inline-end: calc(var(--mm) * 1); }
    h1 { font-size: calc(var(--mm) * 4.6); font-weight: 700; flex: 1; min-inline-size: 0; }
    .signs { display: flex; align-items: center; gap: calc(var(--mm) * 3); font-size: var(--small); font-weight: 600; flex: none; }
    .signs > span { display: inline-flex; align-items: center; gap: calc(var(--mm) * 0.8); }
    .signs .time { font-size: var(--body); font-weight: 700; }
    .toast { display: flex; align-items: center; gap: calc(var(--mm) * 3); block-size: var(--top); padding-inline: calc(var(--mm) * 4); font-weight: 700; line-height: 1.05; background: var(--ink); color: var(--surface); }
    .told { flex: 1; min-inline-size: 0; }
    .toast svg.icon { inline-size: calc(var(--mm) * 7.5); block-size: calc(var(--mm) * 7.5); stroke-width: 3; }
    .toast.ok { background: var(--ok); color: var(--on-ok); }
    .toast.dup { background: var(--warn); color: var(--on-warn); }
    .toast.wrong, .toast.unknown { background: var(--bad); color: var(--on-bad); }
    @media (orientation: portrait) {
      .line { flex-wrap: nowrap; }
      .words { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; gap: calc(var(--mm) * 0.6); }
      h1 { flex: none; font-size: calc(var(--mm) * 4.2); }
      .signs { gap: calc(var(--mm) * 2.4); justify-content: space-between; }
      .signs .time { font-size: var(--small); }
    }
    @media (orientation: landscape) { .words { display: contents; } }
  `];

  constructor() {
    super();
    /** @type {import('../element.js').View} */
    this.view = { d: {} };
    /** @type {Record<string, any>} */
    this.bar = {};
    /** @type {any} */
    this.toast = null;
    this.aside = '';
    this.word = 0; // changes with the language
  }

  render() {
    return html`<div role="alert" aria-live="assertive" class="live">${this.toast ? this.verdict(this.toast) : nothing}</div>
      ${this.toast ? nothing : this.line()}`;
  }

  /** @param {any} toast */
  verdict(toast) {
    const text = toast.text ?? (known(toast.key) ? say(toast.key, told(toast.args ?? {})) : word('verdict', toast.level, ''));
    return html`<div class="toast ${toast.level}">${icon(MARKS[toast.level] ?? 'info')}<span class="told">${fitted(text)}</span></div>`;
  }

  line() {
    const { queue, locked } = this.bar;
    const menu = !this.view.moving;
    return html`<div class="line">${menu ? html`<button type="button" class="key" aria-label=${t('menu.open')} aria-expanded=${this.aside ? 'true' : 'false'}
        @click=${() => this.tell('aside', this.aside ? '' : 'menu')}>${icon(this.aside ? 'wrong' : 'menu')}</button>` : html`<span class="key warn">${icon('lock')}<span class="hidden">${t('bar.locked')}</span></span>`}
      <div class="words"><h1>${fitted(this.heading())}</h1>
      <div class="signs">${this.gnss()}${this.reach()}
        ${queue ? html`<span title=${t('bar.queue', { n: queue })}>${icon('queue')}<bdi>${number(queue)}</bdi><span class="hidden">${t('bar.queue', { n: queue })}</span></span>` : nothing}
        ${locked && !this.view.moving ? html`<span class="warn">${icon('lock')}<span class="hidden">${t('bar.locked')}</span></span>` : nothing}
        <bdi class="time">${clock(this.bar.time_ms)}</bdi></div></div></div>`;
  }

  gnss() {
    const good = ['3d', '2d'].includes(this.bar.gnss);
    return html`<span class=${good ? '' : 'warn'}>${icon('gnss')}${good ? html`<bdi>${String(this.bar.gnss).toUpperCase()}</bdi>` : t('bar.no_gnss')}</span>`;
  }

  reach() {
    const up = this.bar.link === 'online';
    return html`<span class=${up ? '' : 'warn'}>${icon(up ? 'link' : 'nolink')}${up ? html`<span class="hidden">${t('bar.online')}</span>` : t('bar.offline')}</span>`;
  }

  heading() {
    if (this.aside) return t(`title.${this.aside}`);
    const { screen, d } = this.view;
    if (screen === 'stop') return say('title.stop_of', { no: d.no, total: d.total });
    if (d.stop && screen !== 'drive') return [say('title.stop', { no: d.stop.no }), ' · ', html`<bdi>${d.stop.address}</bdi>`];
    return word('title', screen);
  }
}

/** What goes into a sentence: sums of money are written out. @param {Record<string, any>} args */
function told(args) {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, value?.currency ? amount(value) : value]));
}

customElements.define('rp-status', Status);
