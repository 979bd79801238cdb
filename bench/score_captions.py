"""Scores captions by pycocoevalcap: what bench/score_captions.ts is compared with.

    python3 bench/score_captions.py predictions.json references.json
"""
import contextlib
import io
import json
import resource
import sys
import time

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

predictions, references = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
start = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    tokenizer = PTBTokenizer()
    people = tokenizer.tokenize({image: [{"caption": text} for text in own] for image, own in references.items()})
    own = tokenizer.tokenize({str(each["image_id"]): [{"caption": each["caption"]}] for each in predictions})
    own = {image: own[image] for image in people}
    scores = [*Bleu(4).compute_score(people, own, verbose=0)[0]]
    scores += [float(score.compute_score(people, own)[0]) for score in (Rouge(), Cider())]
seconds = time.perf_counter() - start
bytes_ = [resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
names = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"]
print(json.dumps({"seconds": seconds, "python": bytes_[0], "java": bytes_[1], "scores": dict(zip(names, scores))}))
