/**
 * The library's entry. CommonJS, because it has to run on a Node that is too old for the rest, in order to say so: the
 * imports of an ES module are read before any of its code runs.
 */

'use strict';

const NODE_MAJOR_REQUIRED = 26;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_REQUIRED) {
  throw new Error(
    `amelie needs Node.js ${NODE_MAJOR_REQUIRED} or later; this is ${process.version} (${process.execPath})`,
  );
}

const library = require('../dist/embed/index.js');

// One by one, so that `import { open } from 'amelie'` finds the names without running this file.
exports.open = library.open;
exports.SqlError = library.SqlError;
