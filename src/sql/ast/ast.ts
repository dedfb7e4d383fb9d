/**
 * The SQL tree: what the parser makes of a request's text, before any name is looked up.
 *
 * Readonly unions, told apart by `kind`. Every node carries `position`, the byte offset from 0 in the text of the request:
 * of the node's first token, but of the operator for an infix or postfix form (`binary`, `like`, `cast` by `::`, …), since
 * that is what an error about it points at.
 *
 * Names are exactly as written (case-sensitive, back-ticks taken off). Nothing here knows the catalog: a `table` source may
 * turn out to be a CTE, a `call` may be a scalar function, an aggregate or a cast.
 *
 * Here: requests, queries, sources, row statements. Beside: expressions.ts, definitions.ts, utilities.ts.
 */

import type {
  AlterIndex,
  AlterSchema,
  AlterTable,
  CreateIndex,
  CreateSchema,
  CreateTable,
  DropIndex,
  DropSchema,
  DropTable,
  Truncate,
} from './definitions.ts';
import type { Call, Expression, NamedWindow } from './expressions.ts';
import type {
  AlterUser,
  Checkpoint,
  CreateNode,
  CreateReplica,
  CreateToken,
  CreateUser,
  DropNode,
  DropReplica,
  DropUser,
  Replication,
  SetSetting,
  Show,
  Subscribe,
  Unsubscribe,
} from './utilities.ts';

/** A type by its first name; aliases (`integer`, `i64`, `string`, …) are resolved by the parser. `serial` is bigint with identity. */
export type TypeName =
  | 'bool'
  | 'tinyint'
  | 'smallint'
  | 'int'
  | 'bigint'
  | 'float'
  | 'double'
  | 'text'
  | 'json'
  | 'timestamp'
  | 'interval'
  | 'date'
  | 'vector'
  | 'uuid';

/** A name with its place: a column of a list, an alias. */
export interface Identifier {
  readonly name: string;
  readonly position: number;
}

/** `[schema.]name` of a table, index target, function. `schema` is undefined where none is written. */
export interface ObjectName {
  readonly schema: string | undefined;
  readonly name: string;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Request

/** All statements of a request. BEGIN and COMMIT are checked by the parser and leave nothing behind. */
export interface Request {
  readonly statements: readonly Statement[];
  readonly explain: 'none' | 'explain' | 'profile';
  /** The highest index of a `$n` outside literal VALUES lists, 0 when there is none. */
  readonly parameterCount: number;
}

/** Statements that read and change rows: any number of them make a request. */
export type RowStatement = QueryStatement | Insert | Update | Delete | WithStatement;

/** Statements that stand alone in their request; the parser refuses them beside others. */
export type UtilityStatement =
  | CreateSchema
  | DropSchema
  | AlterSchema
  | CreateTable
  | DropTable
  | AlterTable
  | Truncate
  | CreateIndex
  | DropIndex
  | AlterIndex
  | CreateNode
  | DropNode
  | CreateUser
  | AlterUser
  | DropUser
  | CreateToken
  | CreateReplica
  | DropReplica
  | Replication
  | Subscribe
  | Unsubscribe
  | Show
  | SetSetting
  | Checkpoint;

export type Statement = RowStatement | UtilityStatement;

/** A SELECT (or VALUES) as a statement. */
export interface QueryStatement {
  readonly kind: 'select';
  readonly query: Query;
  readonly position: number;
}

/** A WITH without a main statement: its last CTE is the result. */
export interface WithStatement {
  readonly kind: 'with';
  readonly with: With;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Queries

/** A whole query: `[WITH …] body [ORDER BY …] [LIMIT e] [OFFSET e] [FORMAT 'f']`. */
export interface Query {
  readonly kind: 'query';
  readonly with: With | undefined;
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expression | undefined;
  readonly offset: Expression | undefined;
  readonly format: Format | undefined;
  readonly position: number;
}

/** A `query` in a body is a parenthesised one with clauses of its own: `(select … limit 1) union …`. */
export type QueryBody = SelectCore | SetOperation | ValuesBody | Query;

export interface SelectCore {
  readonly kind: 'core';
  /** `'none'`, `'all'` for DISTINCT, or the expressions of DISTINCT ON. */
  readonly distinct: 'none' | 'all' | readonly GroupItem[];
  readonly items: readonly SelectItem[];
  /** The comma list; empty without FROM. */
  readonly from: readonly Source[];
  readonly where: Expression | undefined;
  readonly groupBy: readonly GroupItem[];
  readonly having: Expression | undefined;
  readonly windows: readonly NamedWindow[];
  readonly position: number;
}

export interface SetOperation {
  readonly kind: 'setOperation';
  readonly operator: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
  readonly position: number;
}

/** `VALUES (e, …), …` where a select may stand; all rows have the same width, and there is no DEFAULT. */
export interface ValuesBody {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
  readonly position: number;
}

export interface With {
  readonly recursive: boolean;
  readonly entries: readonly CommonTable[];
  readonly position: number;
}

export interface CommonTable {
  readonly name: string;
  /** Undefined without a column list. */
  readonly columns: readonly Identifier[] | undefined;
  readonly statement: Query | Insert | Update | Delete;
  readonly position: number;
}

export type SelectItem = ExpressionItem | StarItem;

export interface ExpressionItem {
  readonly kind: 'expression';
  readonly expression: Expression;
  readonly alias: string | undefined;
  readonly position: number;
}

/** `*` or `t.*` or `s.t.*`; `table` holds the names before the star. */
export interface StarItem {
  readonly kind: 'star';
  readonly table: readonly string[];
  readonly position: number;
}

/** An item of GROUP BY or DISTINCT ON. `ordinal` (from 1) is set when the item is an integer and nothing else: a position in the select list. */
export interface GroupItem {
  readonly expression: Expression;
  readonly ordinal: number | undefined;
}

export interface OrderItem extends GroupItem {
  readonly descending: boolean;
  /** Undefined: NULLs first when ascending, last when descending. */
  readonly nulls: 'first' | 'last' | undefined;
}

export interface Format {
  readonly text: string;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Sources

export type Source = TableSource | SubquerySource | FunctionSource | JoinSource;

/** A table or a CTE. */
export interface TableSource {
  readonly kind: 'table';
  readonly schema: string | undefined;
  readonly name: string;
  readonly alias: string | undefined;
  readonly columnAliases: readonly Identifier[] | undefined;
  /** The name in USE INDEX (name). */
  readonly index: Identifier | undefined;
  readonly position: number;
}

/** `[LATERAL] (select …)` or `(VALUES …)`. */
export interface SubquerySource {
  readonly kind: 'subquery';
  readonly query: Query;
  readonly lateral: boolean;
  readonly alias: string | undefined;
  readonly columnAliases: readonly Identifier[] | undefined;
  readonly position: number;
}

export interface FunctionSource {
  readonly kind: 'function';
  readonly call: Call;
  readonly lateral: boolean;
  readonly alias: string | undefined;
  readonly columnAliases: readonly Identifier[] | undefined;
  readonly position: number;
}

/** A written join; `cross` has neither condition nor columns, every other has exactly one of them. */
export interface JoinSource {
  readonly kind: 'join';
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross';
  readonly left: Source;
  readonly right: Source;
  readonly on: Expression | undefined;
  readonly using: readonly Identifier[] | undefined;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Row statements

/** `position` of Insert, Update and Delete is that of the verb; of their `target` that of the name. */
export interface Insert {
  readonly kind: 'insert';
  readonly with: With | undefined;
  readonly target: ObjectName;
  /** Undefined without a column list, empty for `()`. */
  readonly columns: readonly Identifier[] | undefined;
  readonly source: InsertSource;
  readonly conflict: Conflict | undefined;
  readonly returning: Returning | undefined;
  readonly position: number;
}

export type InsertSource = ValuesSource | LiteralRowsSource | GenerateSource | SelectSource;

/** Rows as trees, all of the same width. */
export interface ValuesSource {
  readonly kind: 'values';
  readonly literalRows: false;
  readonly rows: readonly (readonly (Expression | Default)[])[];
  readonly position: number;
}

/** A VALUES list that the request's Shape holds as cells: list number `list`, `width` cells a row. How many rows is not in the tree. */
export interface LiteralRowsSource {
  readonly kind: 'values';
  readonly literalRows: true;
  readonly list: number;
  readonly width: number;
  readonly position: number;
}

export interface GenerateSource {
  readonly kind: 'generate';
  readonly count: Expression;
  readonly position: number;
}

export interface SelectSource {
  readonly kind: 'select';
  readonly query: Query;
  readonly position: number;
}

/** The word DEFAULT in place of a value. */
export interface Default {
  readonly kind: 'default';
  readonly position: number;
}

export type Conflict =
  | { readonly kind: 'nothing'; readonly position: number }
  | { readonly kind: 'error'; readonly position: number }
  | { readonly kind: 'resolve'; readonly position: number }
  | {
      readonly kind: 'update';
      readonly assignments: readonly Assignment[];
      readonly where: Expression | undefined;
      readonly position: number;
    };

/** `column[.path…] = value`. */
export interface Assignment {
  readonly column: string;
  /** Keys below the column, empty for the column itself. */
  readonly path: readonly string[];
  readonly value: Expression | Default;
  readonly position: number;
}

export interface Returning {
  readonly items: readonly SelectItem[];
  readonly format: Format | undefined;
  readonly position: number;
}

export interface Update {
  readonly kind: 'update';
  readonly with: With | undefined;
  readonly target: ObjectName;
  readonly alias: string | undefined;
  readonly assignments: readonly Assignment[];
  readonly from: readonly Source[];
  readonly where: Expression | undefined;
  readonly returning: Returning | undefined;
  readonly position: number;
}

export interface Delete {
  readonly kind: 'delete';
  readonly with: With | undefined;
  readonly target: ObjectName;
  readonly alias: string | undefined;
  readonly using: readonly Source[];
  readonly where: Expression | undefined;
  readonly returning: Returning | undefined;
  readonly position: number;
}
