import { cases, testEncoder } from "../../ffi/encoder_cases.ts";

for (const [name, entry] of Object.entries(cases)) if (!name.startsWith("small")) testEncoder(name, entry);
