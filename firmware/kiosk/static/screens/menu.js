// @ts-check
import { html, css } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { LANGUAGES, t } from '../i18n.js';
import { icon } from '../parts/icons.js';
import { look } from '../parts/look.js';

const THEMES = ['auto', 'day', 'night'];

/** How the page looks and speaks, and the rooms that are seldom visited. */
class Menu extends Screen {
  static styles = [look, css`
    .content { justify-content: center; }
    fieldset { border: 0; padding: 0; margin: 0; display: flex; gap: var(--gap); align-items: center; min-inline-size: 0; }
    legend { display: contents; }
    legend span { flex: none; inline-size: calc(var(--mm) * 31); font-weight: 600; display: flex; gap: calc(var(--mm) * 1.5); align-items: center; }
    fieldset .key { flex: 1 1 0; padding-inline: calc(var(--mm) * 1); min-inline-size: calc(var(--mm) * 12); font-size: calc(var(--mm) * 3.8); }
    @media (orientation: portrait) { fieldset { flex-wrap: wrap; } fieldset .key { flex-basis: 28%; } legend span { inline-size: 100%; } }
  `];

  body() {
    const { lang, theme, hand } = this.view;
    const key = (/** @type {boolean} */ on, /** @type {string} */ label, /** @type {string} */ mark, /** @type {string} */ cmd, /** @type {object} */ d, tongue = '') => html`<button type="button" class="key" lang=${tongue || lang}
      aria-pressed=${on} @click=${() => this.send(cmd, d)}>${mark ? icon(mark) : ''}${label}</button>`;
    const group = (/** @type {string} */ mark, /** @type {string} */ title, /** @type {unknown} */ keys) => html`<fieldset><legend><span>${icon(mark)}${t(title)}</span></legend>${keys}</fieldset>`;
    return html`${group('language', 'menu.language', LANGUAGES.map(([code, name]) => key(lang === code, name, '', 'ui.lang', { lang: code }, code)))}
      ${group('day', 'menu.theme', THEMES.map((one) => key(theme === one, t(`theme.${one}`), one, 'ui.theme', { theme: one })))}
      ${group('hand', 'menu.hand', ['left', 'right'].map((one) => key(hand === one, t(`hand.${one}`), '', 'ui.hand', { hand: one })))}`;
  }

  actions() {
    const driver = this.view.bar?.driver || !['boot', 'signin'].includes(this.view.screen);
    return {
      back: { label: t('back'), act: () => this.tell('aside', '') },
      others: [
        { label: t('menu.diag'), icon: 'tool', act: () => this.tell('aside', 'diag') },
        this.view.screen === 'signin' || this.view.training ? { label: t(this.view.training ? 'training.off' : 'training.on'), icon: 'practice', act: () => this.leave('session.training', { on: !this.view.training }) } : null,
        driver && ['route', 'drive'].includes(this.view.screen) && { label: t('end.open'), icon: 'end', act: () => this.leave('end.open', {}) },
      ],
    };
  }

  /** @param {string} cmd @param {object} d */
  leave(cmd, d) {
    this.send(cmd, d);
    this.tell('aside', '');
  }
}

customElements.define('rp-menu', Menu);
