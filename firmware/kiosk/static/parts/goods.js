// @ts-check
import { number } from '../format.js';
import { codeText } from './verdict.js';

/**
 * One thing to hand over: a parcel with its code, or a line that has none.
 * @typedef {{line: any, line_id: string, name: string, code: string | null, shown: unknown, state: string, grade: string | null, mark: string,
 *   weight_g: number | null, count: string}} Row
 */

/** @type {Record<string, string>} */
const MARKS = { scanned: 'ok', missing: 'warn', rejected: 'wrong', open: 'parcel' };

/** The lines of a stop as rows: each parcel one, in the order of the run. @param {any[]} lines @returns {Row[]} */
export function goods(lines) {
  return lines.flatMap((line) => {
    const count = line.qty_fact < line.qty ? `${number(line.qty_fact)} / ${number(line.qty)} ${line.unit}` : `${number(line.qty)} ${line.unit}`;
    const common = { line, line_id: line.line_id, name: line.name, weight_g: line.weight_g, count };
    if (!line.codes.length) {
      const state = line.reason ? 'rejected' : 'open';
      return [{ ...common, code: null, shown: null, state, grade: null, mark: MARKS[state] }];
    }
    return line.codes.map((/** @type {any} */ one) => ({ ...common, code: one.code, shown: codeText(one.code), state: one.state, grade: one.grade, mark: MARKS[one.state] ?? 'parcel' }));
  });
}

/** Parcels that were read where the run names none: a pickup that is counted. @param {{code: string, grade: string | null}[]} found @returns {Row[]} */
export function extras(found) {
  return found.map(({ code, grade }) => ({ line: null, line_id: '', name: '', code, shown: codeText(code), state: 'scanned', grade, mark: MARKS.scanned, weight_g: null, count: '' }));
}
