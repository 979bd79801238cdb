// Photos from the camera.

const dialog = document.getElementById("viewfinder");
const video = dialog.querySelector("video");
let stream;

/** Offers the camera if the browser supports it; `take` gets each photo. */
export function startCamera(take, fail) {
  const [open, shoot] = ["camera", "shoot"].map((id) => document.getElementById(id));
  open.hidden = navigator.mediaDevices?.getUserMedia === undefined;
  open.addEventListener("click", async () => {
    open.disabled = true; // a second stream would stay on
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      fail(`Cannot use the camera: ${error.message}`);
      return;
    } finally {
      open.disabled = false;
    }
    shoot.disabled = true;
    video.srcObject = stream;
    dialog.showModal();
  });
  video.addEventListener("loadeddata", () => shoot.disabled = false);
  shoot.addEventListener("click", async () => {
    take(await takePhoto());
    dialog.close();
  });
  document.getElementById("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  });
}

async function takePhoto() {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  return new File([blob], "camera.jpg", { type: "image/jpeg" });
}
