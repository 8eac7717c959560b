// @ts-check

/** Two pages of three rows for each language, ten keys a row: twelve millimetres each fit the width of a seven-inch panel. @type {Record<string, string[][]>} */
export const LAYOUTS = {
  en: [['qwertyuiop', "asdfghjkl'", 'zxcvbnm.,-'], ['1234567890', '/+&#()%@:!', 'áéíóúñçøåü']],
  de: [['qwertzuiop', 'asdfghjklö', 'yxcvbnmäüß'], ['1234567890', "/+&#().,-'", 'áéèêíóúñçø']],
  es: [['qwertyuiop', 'asdfghjklñ', 'zxcvbnm.,-'], ['1234567890', "/+&#()ºª'!", 'áéíóúüçàèò']],
  pl: [['qwertyuiop', 'asdfghjklł', 'zxcvbnmąęó'], ['1234567890', "/+&#().,-'", 'ćńśźżäöüßé']],
  ar: [['ضصثقفغعهخح', 'شسيبلاتنمك', 'جدذرزطظوةى'], ['1234567890', 'أإآءؤئ.,-/', 'abcdefghij']],
};

/** Stands for the key that takes back. */
export const ERASE = '⌫';

/** Codes are capitals and digits in every language. */
export const CODE = [['1234567890', 'QWERTYUIOP', `ASDFGHJKL${ERASE}`, 'ZXCVBNM-/.']];
