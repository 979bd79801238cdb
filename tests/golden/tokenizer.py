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
