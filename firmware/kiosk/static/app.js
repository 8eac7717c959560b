// @ts-check
import { html, css, nothing } from './vendor/lit.js';
import { Connection } from './connection.js';
import { Part } from './element.js';
import { speak, t } from './i18n.js';
import { look } from './parts/look.js';
import { icon } from './parts/icons.js';
import './parts/status.js';
import './parts/undo.js';
import './parts/change.js';
import './parts/choice.js';
import { SCREENS } from './screens/all.js';

const TOAST_MS = 4_000;
const PATIENCE_MS = 700; // a blip shorter than this is not worth a screen; what is tapped meanwhile waits in line
const PANEL_PX_PER_MM = 5.19;

/** The whole page: one connection, one view, one screen. */
class App extends Part {
  static properties = {
    view: { state: true }, bar: { state: true }, offline: { state: true }, toast: { state: true }, aside: { state: true }, word: { state: true },
  };

  static styles = [look, css`
    :host { display: flex; flex-direction: column; position: fixed; inset: 0; background: var(--ground); color: var(--ink); }
    main { flex: 1; min-block-size: 0; display: flex; flex-direction: column; }
    main > * { flex: 1; min-block-size: 0; display: flex; flex-direction: column; }
    .practice { background: repeating-linear-gradient(135deg, var(--warn) 0 2em, #ffe08a 2em 4em); color: #221a00; font-weight: 700; text-align: center; font-size: var(--small); padding: calc(var(--mm) * 0.3); }
    .away { position: fixed; inset: 0; z-index: 9; background: var(--ground); display: flex; flex-direction: column; align-items: center; justify-content: center; gap: calc(var(--mm) * 4); text-align: center; padding: var(--pad); }
    .away p { max-inline-size: 34em; }
    .wheel { inline-size: calc(var(--mm) * 14); block-size: calc(var(--mm) * 14); border-radius: 50%; border: calc(var(--mm) * 1.6) solid var(--sunken); border-block-start-color: var(--accent); animation: turn 1s linear infinite; }
    @keyframes turn { to { transform: rotate(360deg); } }
    @media (prefers-reduced-motion: reduce) { .wheel { animation-duration: 6s; } }
  `];

  constructor() {
    super();
    /** @type {import('./element.js').View | null} */
    this.view = null;
    /** @type {Record<string, any>} */
    this.bar = {};
    this.offline = true;
    /** @type {{level: string, key: string, args: object, text?: string} | null} */
    this.toast = null;
    /** @type {string} a screen of the page's own over the firmware's: menu or diag */
    this.aside = '';
    this.word = 0;
    this.tongue = '';
    this.told = -1;
    this.heard = 0;
    this.drawn = 0;
    this.connection = new Connection({ view: (view) => this.show(view), bar: (bar) => { this.bar = bar; }, state: (online) => this.turn(online) });
    this.addEventListener('command', (event) => this.obey(/** @type {CustomEvent} */ (event).detail));
    this.addEventListener('locked', (event) => this.say({ level: 'info', key: '', args: {}, text: /** @type {CustomEvent} */ (event).detail }));
    this.addEventListener('aside', (event) => { this.aside = /** @type {CustomEvent} */ (event).detail ?? ''; });
  }

  connectedCallback() {
    super.connectedCallback();
    speak(document.documentElement.lang).catch(() => undefined).then(() => { this.word += 1; });
    this.connection.open();
  }

  /** @param {boolean} online */
  turn(online) {
    if (!online) {
      this.patience ??= setTimeout(() => { this.offline = true; }, PATIENCE_MS); // each failed try tells it again
      return;
    }
    clearTimeout(this.patience);
    this.patience = undefined;
    this.offline = false;
  }

  /** @param {import('./element.js').View} view */
  async show(view) {
    const nth = this.heard += 1; // not its seq: a restarted firmware counts anew
    dress(view);
    if (view.lang && view.lang !== this.tongue) {
      this.tongue = view.lang;
      await speak(view.lang).catch(() => undefined);
      this.word += 1;
    }
    if (nth < this.drawn) return; // a newer one overtook it while the language loaded
    this.drawn = nth;
    if (view.moving || (this.view && view.screen !== this.view.screen)) this.aside = '';
    if (this.view && view.screen !== this.view.screen) this.toast = null; // it spoke of the screen before
    if (view.bar) this.bar = view.bar;
    const stale = !this.view && ['ok', 'info'].includes(view.toast?.level); // said before this page was opened
    this.view = view;
    if (view.toast && view.toast.n !== this.told && !stale) this.say(view.toast);
    this.told = view.toast?.n ?? this.told;
  }

  /** @param {any} toast */
  say(toast) {
    this.toast = { ...toast };
    clearTimeout(this.fading);
    this.fading = setTimeout(() => { this.toast = null; }, TOAST_MS);
  }

  /** @param {{cmd: string, d: object}} command */
  async obey({ cmd, d }) {
    const answer = await this.connection.command(cmd, d);
    if (answer.err) this.say({ level: 'info', key: answer.err, args: answer.args ?? {} });
  }

  render() {
    const away = !this.view || (this.offline && !this.view.stays); // what stays is the last word of a program that has ended
    return html`${this.view ? this.page(this.view, away) : nothing}${away ? this.away() : nothing}`;
  }

  /** @param {import('./element.js').View} view @param {boolean} away */
  page(view, away) {
    const draw = SCREENS[this.aside || view.screen] ?? SCREENS.boot;
    const overlay = view.overlay;
    return html`${view.training ? html`<div class="practice" ?inert=${away}>${icon('practice')} ${t('training.banner')}</div>` : nothing}
      ${this.top(view, away)}
      <main ?inert=${away}>${overlay?.kind === 'run' && !view.moving ? html`<rp-change .overlay=${overlay} .word=${this.word}></rp-change>`
        : overlay?.kind === 'choice' ? html`<rp-choice .overlay=${overlay} .word=${this.word}></rp-choice>`
        : draw({ ...view, bar: this.bar, word: this.word })}</main>`;
  }

  /** The top line; Undo takes its place, so that nothing moves under a finger. @param {import('./element.js').View} view @param {boolean} away */
  top(view, away) {
    if (view.screen === 'enrol') return nothing; // there is no day yet whose line it would be
    const serious = ['wrong', 'dup'].includes(this.toast?.level ?? '');
    if (view.overlay?.kind === 'undo' && !serious) return html`<rp-undo .overlay=${view.overlay} .word=${this.word} ?inert=${away}></rp-undo>`;
    return html`<rp-status .view=${view} .bar=${this.bar} .toast=${this.toast} .word=${this.word} .aside=${this.aside} ?inert=${away}></rp-status>`;
  }

  away() {
    const waiting = this.connection.pending.size;
    return html`<div class="away" role="alert"><div class="wheel"></div><h1 class="large">${t('away.title')}</h1>
      <p class="quiet">${waiting ? t('away.kept') : t('away.text')}</p></div>`;
  }
}

/** Put sizes, colours and hand of the view on the document. @param {import('./element.js').View} view */
function dress(view) {
  const root = document.documentElement;
  const panel = view.panel ?? {};
  root.style.setProperty('--mm', `${panel.px_per_mm ?? PANEL_PX_PER_MM}px`);
  root.toggleAttribute('data-glove', Boolean(panel.glove));
  const dark = view.theme === 'night' || (view.theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.dataset.theme = dark ? 'night' : 'day';
  root.dataset.hand = view.hand === 'left' ? 'left' : 'right';
  root.dataset.screen = view.screen;
}

customElements.define('rp-app', App);
