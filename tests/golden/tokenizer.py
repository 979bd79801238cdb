"""Writes tokenizer.json: what NLTK makes of sentences written for the purpose.

    python3 tests/golden/tokenizer.py NLTK_DATA

NLTK_DATA is a folder with tokenizers/punkt_tab/english. Needs NLTK 3.10.4: 3.10.0 still kept an opening single quote on
its word, and did not take curly quotes for the end of a sentence.
"""
import json
import pathlib
import sys

import nltk
from nltk.tokenize import sent_tokenize, word_tokenize

assert nltk.__version__ == "3.10.4", nltk.__version__
nltk.data.path.insert(0, sys.argv[1])

CAPTIONS = r"""
A red kite hangs over the harbour .
A red kite hangs over the harbour.
Two goats share one umbrella
THE BAKER WAVES AT US!
Is that a tram? It is a boat.
Stop!!! The bridge is up.
What?! Nobody knows...
He waits ... and waits .... and waits
He waits . . . and then . . He leaves
Well... a heron lands.
A heron , a stork , and a crane .
A heron, a stork, and a crane.
Eels:three kinds;four colours
At 10:30 the 1,000 runners start, at 11:45 they rest.
It costs $3.50, or 3,50 if you ask : twice
A 3.5 mile walk, then .5 miles more.
Runner No. 7 leads. Runner no. seven follows.
She scored 9.5. He scored 8.
Room 5. is empty.
In 1999. nobody came.
Dr. Lark feeds a parrot at St. Anne square.
Mr. and Mrs. Plum dance on Elm St. near the pier.
The U.S. team waves. The u.k. team rests.
We leave at 6 a.m. and return at 7 p.m. today.
We leave at 6 a.m. The bus is late.
An e.g. and an i.e. in one line
Two men, vs. three women, etc. in a boat
J. R. Finch reads to B. Levine and o. ludcke
A sign says b. levine was here
A man on the corp. roof sits by inc. papers
Here is Mt. Pear. it is high
A half-inc. sign and a co. wagon
It is 5 ft. tall. it is blue
Plan b. administrators wait
Plan b. z-holiday begins
Plan b. 4 more days
Plan b. (the long one)
Plan x. ; the end
He said hello. "Go on," she said.
"Go on." He said it twice.
"A quoted caption"
He shouts "jump!" and jumps.
He shouts ("jump!") and jumps. (He is wet.) The end.
He is wet.) The end.
He is wet.' The end.
He is wet.] } The end.
He is wet.--The end.
He is wet.)-- The end.
''double single quotes'' and ``backticks``
``Two'' and `one'
«Bonjour.» Il part. “Curly.” She leaves. ‘Single.’ He stays.
A “curly” word, a ‘single’ one, a „low“ one
A shop called 'sails' in blue letters
'No parking' on a gate
The gate says 'no'.
rock 'n' roll on the quay
A 'til and a 'bout and a 'm and a 're
'twas a fair day and 'tis still
It is said that 'twas so, 'tis so
'Twas the night
The dogs' bowls are empty
The dog's bowl is full
The dogs 's bowls
The boy 's kite
She can't go and won't stay, they've gone, we'll see, I'm here, you're late, he'd know
SHE CAN'T GO AND WON'T STAY, THEY'VE GONE, WE'LL SEE, I'M HERE
I cannot see. You cannot hear. Cannot
gimme that, lemme go, I'm gonna, he's gotta, we wanna go, I wanna
wanna. They wanna , we wanna
more'n enough, d'ye hear, whatcha doing, whaddya want
cannot'tis and gimme'twas
a kite–boat―bird‒fish—fox
cannotate gonnas gottas lemmego
o'clock and O'Brien and ma'am and y'all
the '90s and 1990's and the 20's
a 5'10" tall man
12" records and 7" singles
a boy (in red) and a girl [in blue] with {something} <odd>
a (b) c(d)e [f]g {h}i <j>k
(Opening.) Then more.
a well-known black-and-white dog
a dog -- a black one -- runs
a dog--a black one--runs
a dog - a cat
- a list entry
a dog – a cat — a bird ― a fish ‒ a number
mother/daughter and/or son
50% off & 3 for $2 @ noon #sale
fish&chips 100% #1 a@b.org
http://example.org/a?b=c&d=e is on the sign
visit www.example.org. It is new.
user_name and file.txt and a+b=c and 2*3=6 and x^y and a|b ~tilde \backslash
***stars*** and *one*
;leading and trailing;
:leading and trailing:
,leading and trailing,
.leading and trailing.
?leading
!leading
'
"
''
.
..
...
. .
. . .
!
?!
a.
a.b
a.b.
a..
a...b
.a
"a"
'a'
(a)
a.)
a.").
He ate.He slept.He left.
He ate . He slept . He left .
He ate ,he slept ,he left
  two   spaces   everywhere  
	tabs	between	words	.
café naïve façade jalapeño piñata
CAFÉ NAÏVE ÉCLAIR
ÀÉ. Öl. ñandú waits
A straße in Österreich, GROẞ
İstanbul and ısı and Iğdır
'tıſ and gımme and 'ſ and 'sſ
ΣΑΣ ΟΔΟΣ. ΣΑΣ!
Москва. Собака бежит.
東京の犬。 走る。
犬が走る. 猫が寝る.
कुत्ता दौड़ता है। बिल्ली सोती है.
k. कि
नमस्ते'ज and 'कि
a dog 🐕 runs 🏃. 🙂 It is fun!
🙂. 🐕
x. 𝐀b is bold
x. 𝐚b is bold
٣. ثلاثة
² and ½ and Ⅳ. then
ﬁve ﬂags in one place
""".strip("\n").split("\n") + [
    "", " ", "\n", "one\ntwo\nthree", "One.\nTwo.\n\nThree.", "one,\n", "one:\n.", "a.\r\nb.", "etc.\n\u001c\nb. c",
    "a\u00a0b.\u00a0c", "a\u2003b\u3000c", "a\u0085b", "a\u001cb\u001db. c", "a\ufeffb \ufeff c", "a\u200bb. c", "a\u0301'b e\u0301'\u0301c", "cannot'twa\u017f", " !{7. go", " .?'go on", "zero\u200cwidth'\u200djoin",
    "wanna\u001cgo wanna\u00a0go", "e\u0301te\u0301. E\u0301te\u0301", "dr." + " " * 40 + "x", "a.\u000bb", "constructor __proto__ toString",
] + [
    # Characters that few programs think of: half a character, NUL, two ways to write an accent, sequences of emoji.
    "a\ud800b. \udc00 c", "\ud83d", "a\u0000b. \u0000 c", "\u0000",
    "Cafe\u0301, nai\u0308ve: E\u0301clair. A\u030angstro\u0308m", "Caf\u00e9, na\u00efve: \u00c9clair. \u00c5ngstr\u00f6m",
    "\u0301a. \u0301 b", "a fam\u00edly \U0001f468\u200d\U0001f469\u200d\U0001f467, a \u2764\ufe0f. A \U0001f1ef\U0001f1f5 \U0001f44d\U0001f3fd!",
    # Letters whose small form is long, depends on what follows, or is none.
    "\u0130STANBUL I\u0307ZM\u0130R \u0130. \u0130'S", "\u03a3 A\u03a3 A\u03a3\u0301 A\u03a3' A\u03a3. A\u03a3:A A\u03a3.A \u03a3A A\u00ad\u03a3 A\u03a3\u00ad \u0345\u03a3",
    "\u01c5 \u1e9e \ufb03 \u212a \u212b \u1fbc \U00010400 \u13a0 \uff21\uff22\uff23. \uff11\uff12",
    # Other scripts.
    "\u0641\u062a\u0627\u0629 \u062a\u0637\u064a\u0631 \u0637\u0627\u0626\u0631\u0629 \u0648\u0631\u0642\u064a\u0629\u060c \u0648\u0643\u0644\u0628 \u064a\u0631\u0643\u0636\u061f \u0646\u0639\u0645. \u0644\u0627!",
    "\u05e0\u05e2\u05e8\u05d4 \u05d5\u05db\u05dc\u05d1\u05d4 \u05e9\u05dc \u05e6\u05d4\"\u05dc.",
    "\u8d64\u3044\u5098\u3092\u6301\u3063\u305f\u5973\u306e\u5b50\u3068\u72ac\u3002 T\u30b7\u30e3\u30c4\u3001\u300c\u306d\u3053\u300d\uff01", "\u4e00\u4e2a\u5973\u5b69\u5728\u653e\u98ce\u7b5d\u3002",
    "\ud55c \uc18c\ub140\uac00 \uacf5\uc6d0\uc5d0\uc11c \uc5f0\uc744 \ub0a0\ub9b0\ub2e4. 2\ub9c8\ub9ac!", "\u0e40\u0e14\u0e47\u0e01\u0e1c\u0e39\u0e49\u0e2b\u0e0d\u0e34\u0e07\u0e40\u0e25\u0e48\u0e19\u0e27\u0e48\u0e32\u0e27",
    # What nearly all captions look like, and what almost does.
    "a dog", "a dog.", "a dog .", "a dog . ", "a dog,", "a dog, a cat ,a fox", "a dog , , a cat", ", a dog", "a , 5", "a,5", "5,", "x-ray, t-shirt.", "-a", "a-", "a--b", "cannot-go", "go-cannot, wanna", "wanna-be", "a dog.. ", "a  dog", "dr.", "no. 5", "a5b 5a .",
]

golden = {
    "nltk": nltk.__version__,
    "captions": [
        {"caption": caption, "sentences": sent_tokenize(caption.lower()), "tokens": word_tokenize(caption.lower())}
        for caption in CAPTIONS
    ],
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden, separators=(",", ":")).replace('{"caption"', '\n{"caption"') + "\n", encoding="utf-8")
print(len(CAPTIONS), "captions")
