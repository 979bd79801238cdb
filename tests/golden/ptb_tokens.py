"""Writes ptb_tokens.json: what pycocoevalcap's PTBTokenizer makes of sentences written for the purpose.

    python3 tests/golden/ptb_tokens.py

Needs pycocoevalcap 1.2 with the jar of Stanford CoreNLP 3.4.1, and Java.
"""
import importlib.metadata
import json
import pathlib

from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

assert importlib.metadata.version("pycocoevalcap") == "1.2"

CAPTIONS = r"""
A red kite hangs over the harbour .
A red kite hangs over the harbour.
Two goats share one umbrella
THE BAKER WAVES AT US!
Is that a tram? It is a boat.
Stop!!! The bridge is up.
What?! Nobody knows...
He waits ... and waits .... and waits ..... and ...... sits
He waits . . . and then . . He leaves
The end..
One, two; three: four
eels:three kinds;four colours,five
He ate.He slept.He left.
He ate!He slept?He left
The gate says "closed" , "open" and 'maybe'
"A quoted caption"
" a loose quote "
He shouts ("jump!") and jumps.
''double single quotes'' and ``backticks``
A “curly” word, a ‘single’ one, a „low“ one, a ‚lower‘ one
“““ ”” ‘‘ ’’ «« »» ‹one› «two»
'No parking' on a gate
The dog's bowl and the dogs' bowls
The dog ’s bowl and the dog’s tail
The boy 's kite
DOG'S and I'm and she'd and we'll and they've and you're
It's
It is its'
She can't, won't, didn't, isn't and ain't go
SHE CAN'T, SHE WON'T
She ca n't and do n't and can’t and don`t
don'ts and an't and n't
cannot Cannot CANNOT cannots
gonna gotta lemme gimme wanna Gonna WANNA gonnas
'tis a fair day, 'twas a fair day, 'Tis 'TWAS
'til and 'till and 'em and 'cause and 'n' and 'bout
rock 'n' roll, rock'n'roll, fish 'n chips
o'clock and O'Brien and ma'am and y'all and y'know
c'mon, nor'easter, e'er, s'mores, ev'ry, li'l, nat'l, cont'd
Dunkin' somethin' ol' goin'
d'Artagnan, l'eau, j'ai, D'or, Hawai'i, Shi'ite, B'nai
cap'n and c'est la vie
the '90s and 1990's and the 20's and '90 and '90.
a 5'10" tall man, a 12" record, 7'
in 5 a.m. light and at 7 p.m. and 9am and 10 PM
They leave at 6 a.m.
They leave at 6 a.m. The bus is late.
The U.S. team and the u.k. team, U.S.A. and usa
A flag of the U.S.
A flag of the U.S. The end.
plan b. The end
plan b. the end
He and I. A dog
e.g. a cat, i.e. a lion, etc. and so on
cats, dogs, etc.
cats, dogs, etc. They run
Mr. and Mrs. Plum, Ms. Fig and Dr. Lark
mr. plum, dr. lark and prof. fig
Mr Plum and Dr Lark
St. Anne near Elm St. and Main Ave. and Oak Blvd.
Gen. Oak and Col. Ash of Mt. Pear in Ft. Fig
Miss. Plum and miss. plum
Sgt. Reed, Capt. Moss and Lt. Fern
Jan. 5 and in jan. and Sept. and sept and May.
Mon. and Tue. and Thurs. and Sat. and Sun.
Wash. and wash. and Ill. and ill. and Calif. and Ore. and ore.
Plums Inc. and Figs Ltd. and Oaks Corp. and Ash Co. Ltd. and Pty. Ltd.
Jr. and Sr. and Ph.D. and Esq.
Runner No. 7 and no. seven and nos. 3
fig. 3 and art. 5 and art. five and pp. 5 and ca. 1990 and ca.1990
prop. 4 and op. 9 and prop. a
this vs. that vs that
the dept. and the natl. park
A non-U.S. and a U.S.-U.K. and an EU-U.S. thing
10 dogs, 1,000 runners, 10:30, 3.5 miles, .5 miles, 3,50
+5 and -5 and 5- and 5+ and 1,000,000.50
5. is the number 5.
1st 2nd 3rd 4th 21st
2x4 and 4x4 and 3d and 1080p and mp3
1/2 cup, 3 1/2 cups, 3-1/2 cups, 12/16, 1\/2
½ cup, 3½ cups, ¼ ¾ ⅓ ⅔ ⅛ and 3⁄4
12/25/2010 and 12-25-10 and 2010-12-25 and 5/5
x² and x₂ and ⁺² and ⁻³ and 10⁶
$5 and $3.50 and US$ 5 and C$5 and 5$
£5, €5, ¥5, 50¢, ₤5, ¤5, ฿5
50% off & 3 for $2 @ noon #sale # 5
(555) 123-4567 and 555-123-4567 and 555 123 4567 and 555.123.4567
555-1234 and +44 20 7946 0958
a well-known black-and-white dog
a T-shirt, a t-shirt, an X-ray and a co-ed
a pro-cat and an anti-dog sign
a dog -- a black one -- runs
a dog--a black one--runs
a dog - a cat
- a list entry
-a list- entry
--- one ---- two ----- three
a dog – a cat — a bird ― a fish ‒ a number
a kite–boat—fox
a‐b and a‑b and a_b and _a_ and __a
mother/daughter and and/or and a / b and either/or/both
a/b/c/d and his/her-self and w/ and w/o
a (b) c(d)e [f]g {h}i <j>k
a boy (in red) and a girl [in blue] with {something} <odd>
(Opening.) Then more.
() [] {} <> << >>
a <b>bold</b> word, a <br/> break, an <a href="x y">anchor</a> and <!-- a comment -->
a < b and b > a and a<b
&amp; &lt; &gt; &quot;quoted&quot; &apos;s &nbsp; &mdash; &eacute;clair &#38; &unknown;
R&B and AT&T and r&b and fish&chips and A+B and R&amp;B
S&P-500 and C++ and c# and F# and g#
a+b=c and 2*3=6 and x^y and a|b ~tilde \backslash
***stars*** and *one* and \*
@ @@ # ## _ __ ^ ~ = % + |
visit http://example.org/a?b=c&d=e, then https://example.org.
visit www.example.org. Or example.com and sub.example.net/page
HTTP://EXAMPLE.ORG and Example.com and a.io
write to a@b.org or <a.b@c.org> or a@b
@finch and #finches and #2 and #4you
file.txt and photo.jpg, page.html. And a.b and user_name.png
:) :-) ;-) :( :D :P =) :') 8) :/ <3
(^_^) ^_^ -_- (-_-) >_<
a dog:) and a dog :)and
a 🐕 runs 🏃. 🙂 It is fun!
a family 👨‍👩‍👧, a ❤️ and a 👍🏽
dog🐕cat
a ♥ and a ★ and a → and a ☺ and a ✓
© ® ™ ° × ÷ § ¶ † ‡ • ·
«Bonjour.» Il part. ¿Qué? ¡Hola!
café naïve façade jalapeño piñata
CAFÉ NAÏVE ÉCLAIR ÀÉ ÖL
a straße in Österreich, GROẞ
İstanbul and ısı and gımme and ſ
ΣΑΣ ΟΔΟΣ. ΣΑΣ!
Москва. Собака бежит.
東京の犬。 走る、止まる。
कुत्ता दौड़ता है। बिल्ली सोती है.
فتاة تطير، وكلب؟ نعم.
נערה וכלבה של צה"ל.
한 소녀가 공원에서
เด็กผู้หญิง
١٢٣ and ५६ and １２
ｆｕｌｌ ｗｉｄｔｈ！
ﬁve ﬂags in one place
colour theatre grey jewellery travelling centre
  two   spaces   everywhere  
	tabs	between	words	.
a.
a.b
a.b.
a..
a...b
.a
.
..
'
"
!
,leading and trailing,
;leading and trailing:
TV's, DVDs, CD's, C.D.s and c.d.s
a 4-H club, a 3-year-old boy, a 10-foot-tall pole, a U-turn
the 2-for-1 sign, 24/7, 9/11 and 7-11
No.1 and no.1 and No.
St and st. louis and ste. anne
J. R. Finch reads to B. Levine and o. ludcke
A man in a no. 12 jersey. 3 others wait.
An S.O.S. sign. A B.B.Q. grill, a b.b.q
a dog named Mr.Biscuit and a dog named mr.biscuit
i'm i've i'd i'll I'M
he's she's it's let's that's who's what's there's
y'all're, shouldn't've, I'd've, 'twasn't
'a' 'b 'c' 'dog 'cat'
a 'n a n' a 'N' a
l'il boy and lil' boy
I" and 5" and "5 and "a and "$5
n't'nt n’t
he sat., then ate.: a well-known., a 4-H.; and AT&T., end
-LRB- a -RRB- -lrb- b -rrb- -LSB- -rsb-
constructor __proto__ toString
""".strip("\n").split("\n") + [
    "", " ", "one\ntwo\nthree", "One.\nTwo.", "a\u00a0b.\u00a0c", "a\u2003b\u3000c", "3\u00a01/2", ".\u00a0.\u00a0. a",
    "soft\u00adhyphen, \u00ad, do\u00adn't, 1\u00ad000, a-b\u00ad", "zero\u200bwidth\u200ejoin\u200f a\ufeffb",
    "a\u0000b \u0001c \u007f d", "\u0080 \u0091a\u0092 \u0093b\u0094 a\u0096b", "Cafe\u0301, nai\u0308ve: \u0301a",
    "visit http://example.org/a\u00a0", "visit http://example.org/a\u00a0.", "\U0001d400b \U00010400",
    "dr." + " " * 40 + "x", "Z. The", "Z. the", "Z." + " " * 9 + "The end",
]


def tokens(captions):
    """The tokens of each caption, with a plain word on the next line: the reader looks beyond a caption's end."""
    tokenized = PTBTokenizer().tokenize({
        number: [{"caption": caption}, {"caption": "end"}] for number, caption in enumerate(captions)
    })
    assert all(after == "end" for _, after in tokenized.values())
    return [words.split(" ") if words else [] for words, _ in tokenized.values()]


assert len(set(CAPTIONS)) == len(CAPTIONS)
golden = [{"caption": caption, "tokens": words} for caption, words in zip(CAPTIONS, tokens(CAPTIONS))]
path = pathlib.Path(__file__).with_suffix(".json")
text = json.dumps({"pycocoevalcap": "1.2", "captions": golden}, separators=(",", ":"))
path.write_text(text.replace('{"caption"', '\n{"caption"') + "\n", encoding="utf-8")
print(len(CAPTIONS), "captions")
