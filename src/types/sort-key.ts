/** How values of one key are ordered. */

import type { TypeId } from './type.ts';

export type SortKey = { readonly type: TypeId; readonly isDescending: boolean; readonly isNullsFirst: boolean };
