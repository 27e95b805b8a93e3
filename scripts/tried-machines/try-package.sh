#!/bin/sh
# Tries the package as another project has it: packs the checkout it lies in, installs the archive in an empty project in
# FOLDER, which must not exist, and runs the three examples there.
#
#   sh scripts/tried-machines/try-package.sh FOLDER
set -eu

project=${1:?Expected a folder for the project.}
checkout=$(cd "$(dirname "$0")/../.." && pwd)
mkdir "$project"
cd "$checkout"
archive=$(npm pack --silent --pack-destination "$(dirname "$project")" | tail -n 1)
cd "$project"
npm init --yes >/dev/null
npm install --no-audit --no-fund "$(dirname "$project")/$archive"
npx satin doctor
cp node_modules/satin/examples/*.mjs .
sed -i 's/"type": "commonjs"/"type": "module"/' package.json

node train.mjs
npx satin export runs/example --format onnx --fold --input-gradient cross-entropy --out example.onnx
npm install --no-audit --no-fund onnxruntime-web
node run-onnx.mjs example.gradient.onnx
npx satin export runs/example --format torchscript --out model.pt
node evaluate-pytorch.mjs model.pt fashion-mnist 0.1
