// @ts-check
import { html } from '../vendor/lit.js';
import './enrol.js';
import './boot.js';
import './signin.js';
import './check.js';
import './load.js';
import './drive.js';
import './route.js';
import './stop.js';
import './scan.js';
import './photo.js';
import './cod.js';
import './pin.js';
import './sign.js';
import './rate.js';
import './name.js';
import './exception.js';
import './messages.js';
import './end.js';
import './menu.js';
import './diag.js';
import './selftest.js';

/** How each screen is drawn, by the name that the firmware gives it. @type {Record<string, (view: import('../element.js').View) => unknown>} */
export const SCREENS = {
  enrol: (view) => html`<rp-enrol .view=${view}></rp-enrol>`,
  boot: (view) => html`<rp-boot .view=${view}></rp-boot>`,
  signin: (view) => html`<rp-signin .view=${view}></rp-signin>`,
  check: (view) => html`<rp-check .view=${view}></rp-check>`,
  load: (view) => html`<rp-load .view=${view}></rp-load>`,
  drive: (view) => html`<rp-drive .view=${view}></rp-drive>`,
  route: (view) => html`<rp-route .view=${view}></rp-route>`,
  stop: (view) => html`<rp-stop .view=${view}></rp-stop>`,
  scan: (view) => html`<rp-scan .view=${view}></rp-scan>`,
  photo: (view) => html`<rp-photo .view=${view}></rp-photo>`,
  cod: (view) => html`<rp-cod .view=${view}></rp-cod>`,
  pin: (view) => html`<rp-pin .view=${view}></rp-pin>`,
  sign: (view) => html`<rp-sign .view=${view}></rp-sign>`,
  rate: (view) => html`<rp-rate .view=${view}></rp-rate>`,
  name: (view) => html`<rp-name .view=${view}></rp-name>`,
  exception: (view) => html`<rp-exception .view=${view}></rp-exception>`,
  messages: (view) => html`<rp-messages .view=${view}></rp-messages>`,
  end: (view) => html`<rp-end .view=${view}></rp-end>`,
  menu: (view) => html`<rp-menu .view=${view}></rp-menu>`,
  diag: (view) => html`<rp-diag .view=${view}></rp-diag>`,
  selftest: (view) => html`<rp-selftest .view=${view}></rp-selftest>`,
};
