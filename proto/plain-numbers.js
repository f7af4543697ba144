// Must run before gen/shoal.js is evaluated: generated default values look for Long when their module loads.
import protobuf from 'protobufjs/minimal.js';

protobuf.util.Long = undefined;
protobuf.configure();
