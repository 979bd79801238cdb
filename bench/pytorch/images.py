"""An image as the notebook reads it: torchvision's Resize, CenterCrop, ToTensor and Normalize, by PIL."""
import numpy as np
import torch
from PIL import Image

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def load(path, settings):
    short_side, size = settings["short"], settings["size"]
    image = Image.open(path).convert("RGB")
    if settings["resize"] == "stretch":
        pixels = np.asarray(image.resize((size, size), Image.BILINEAR))
        return normalized(pixels, settings["encoder"])
    scale = short_side / min(image.size)
    wide, high = (round(side * scale) if side == min(image.size) else int(side * scale) for side in image.size)
    image = image.resize((wide, high), Image.BILINEAR)
    left, top = round((wide - size) / 2), round((high - size) / 2)
    pixels = np.asarray(image.crop((left, top, left + size, top + size)))
    return normalized(pixels, settings["encoder"])


def normalized(pixels, encoder):
    pixels = torch.from_numpy(pixels.copy()).float()
    if encoder.startswith("efficientnet"):
        return ((pixels - 127) / 128).permute(2, 0, 1)
    return ((pixels / 255 - MEAN) / STD).permute(2, 0, 1)
