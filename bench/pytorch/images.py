"""An image as the notebook reads it: torchvision's Resize, CenterCrop, ToTensor and Normalize, by PIL."""
import numpy as np
import torch
from PIL import Image

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def load(path, short_side, size):
    image = Image.open(path).convert("RGB")
    scale = short_side / min(image.size)
    wide, high = (round(side * scale) if side == min(image.size) else int(side * scale) for side in image.size)
    image = image.resize((wide, high), Image.BILINEAR)
    left, top = round((wide - size) / 2), round((high - size) / 2)
    pixels = np.asarray(image.crop((left, top, left + size, top + size)))
    return ((torch.from_numpy(pixels.copy()).float() / 255 - MEAN) / STD).permute(2, 0, 1)
