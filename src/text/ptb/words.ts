// Abbreviations that keep their full stop, as pattern alternatives. If one is also a common word, a class restricts its
// first letter to the abbreviation's case.

const MONTHS_AND_DAYS = "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thu(rs)?|fri";
const STATES = "ala|ariz|[A]z|[A]rk|calif|colo|conn|ct|dak|[D]el|fla|ga|[I]ll|ind|kans?|ky|[L]a|[M]ass|md|mich|minn|" +
  "[M]iss|mo|mont|neb|nev|okla|[O]re|[P]a|penn|tenn|[T]ex|va|vt|[W]ash|wisc?|wyo";
const COMPANIES = "inc|cos?|corp|pp?t[ye]s?|ltd|plc|rt|bancorp|bhd|assn|univ|intl|sys";
const OTHERS = "tel|est|ext|sq|jr|sr|bros|(ed|ph)\\.d|blvd|rd|esq|etc|al|seq|bldg";
const TITLES = "mr|mrs|ms|[M]iss|drs?|profs?|sens?|reps?|attys?|lt|col|gen|messrs|govs?|adm|rev|maj|sgt|cpl|pvt|capt|" +
  "ste?|ave|pres|lieut|hon|brig|co?mdr|pfc|spc|supts?|det|mt|ft|adj|adv|asst|assoc|ens|insp|mlle|mme|msgr|sfc";

const COUNTRIES = "(canada|sino|korean|eu|japan|non)-u\\.s|u\\.s\\.-(u\\.k|u\\.s\\.s\\.r)";

/** Letters separated by full stops, without the last full stop: `u.s`. */
export const INITIALS = "[A-Za-z](\\.[A-Za-z])+";

/** {@linkcode INITIALS}, or a single letter. */
export const ACRONYM = `(${COUNTRIES}|[A-Za-z](\\.[A-Za-z])*)`;

/** Abbreviations that may end a sentence, without their full stop. */
export const MAY_END_SENTENCE = `(${MONTHS_AND_DAYS}|${STATES}|${COMPANIES}|${OTHERS})`;

/** Abbreviations that never end a sentence, without their full stop. */
export const WITHIN_SENTENCE = `(${TITLES}|vs|alex|wm|jos|cie|cf|treas|ph|${ACRONYM}|invt|elec|natl|m[ft]g|dept)`;

/** Abbreviations only before a number, without their full stop. */
export const BEFORE_NUMBER = "(ca|figs?|prop|nos?|art|bldg|pp|op)";

/** Capitalized words that begin a sentence if they follow initials. */
export const SENTENCE_BEGINNINGS =
  "([A]bout|[A]ccording|[A]dditionally|[A]fter|[A]n?|[A]s|[A]t|[B]ut|[E]arlier|[H]er?|" +
  "[H]ere|[H]owever|[I]f|[I]n|[I]t|[L]ast|[M]any|[M]ore|[M]r\\.|[M]s\\.|[N]ow|[O]nce|[O]ne|[O]ther|[O]ur|[S]he|" +
  "[S]ince|[S]o|[S]ome|[S]uch|[T]hat|[T]heir|[T]hen?|[T]here|[T]hese|[T]hey|[T]his|[W]e|[W]hen|[W]hile|[W]hat|[Y]et|[Y]ou)";

/** File name extensions, without the full stop. */
export const FILE_ENDINGS = "(bat|bmp|c|class|cgi|cpp|dll|docx?|exe|gif|gz|h|html?|jar|java|jpe?g|mov|mp3|pdf|php|pl|" +
  "png|ppt|ps|py|sql|tar|txt|wav|x|xml|zip)";
