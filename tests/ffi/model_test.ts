import { cases, testModel } from "./model_cases.ts";

for (const [name, entry] of Object.entries(cases)) if (!name.endsWith("with ResNet-50")) testModel(name, entry);
