/** Bodies of remote consoles. Types that Nova knows and no guest here has are refused by the handler, by name. */
import Type, { type TProperties } from 'typebox';

const only = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false });
const oneOf = (...values: readonly string[]) => Type.Union(values.map((value) => Type.Literal(value)));

/** What a console is asked for by from 2.6 on; `mks` from 2.8, `spice-direct` from 2.99 on. */
export const remoteConsoleBody = only({
  remote_console: only({
    protocol: oneOf('vnc', 'spice', 'rdp', 'serial', 'mks'),
    type: oneOf('novnc', 'xvpvnc', 'rdp-html5', 'spice-html5', 'serial', 'webmks', 'spice-direct'),
  }),
});

/** The argument of `os-getVNCConsole`, up to 2.5, as that of the next three. */
export const vncConsoleBody = only({ type: oneOf('novnc', 'xvpvnc') });
/** The argument of `os-getSPICEConsole`. */
export const spiceConsoleBody = only({ type: oneOf('spice-html5') });
/** The argument of `os-getRDPConsole`. */
export const rdpConsoleBody = only({ type: oneOf('rdp-html5') });
/** The argument of `os-getSerialConsole`. */
export const serialConsoleBody = only({ type: oneOf('serial') });
