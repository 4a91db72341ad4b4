import Foundation
import Tarn
import TarnData
import TarnInterop

private let weights = "Tests/Fixtures/weights/"

extension Reader {
  /// All of them.
  static let all: [Reader] = weightFiles + kerasFiles + models + pictures + data + runs
}

// MARK: - Weights

extension Reader {
  static let weightFiles: [Reader] = [
    Reader(
      name: "safetensors", seeds: ["Tools/fuzz/sample-run/model.safetensors"], mutation: .header
    ) { file in
      let opened = try Safetensors(file)
      for entry in opened.entries { _ = try opened.tensor(entry) }
    },
    Reader(
      name: "torch-zip", seeds: [weights + "*.pt"], mutation: .archive
    ) { try readTorch($0) },
    Reader(
      name: "torch-legacy", seeds: [weights + "*.pth"]
    ) { try readTorch($0) },
    Reader(name: "pickle", seeds: [weights + "*.pkl"]) { try readTorch($0) },
    Reader(name: "npy", seeds: [weights + "small.pt.expected.npz:*"], mutation: .header) {
      _ = try NPY.read($0)
    },
    Reader(
      name: "npz", seeds: [weights + "*.expected.npz"], room: .packed, mutation: .archive
    ) { _ = try NPZ.read($0) },
    Reader(name: "mxnet", seeds: [weights + "*.params"]) { try readWeights($0) },
    Reader(name: "caffe", seeds: [weights + "*.caffemodel"]) { try readWeights($0) },
    Reader(
      name: "onnx-weights", seeds: ["Tests/Goldens/onnx.safetensors:*/model"]
    ) { try readWeights($0) },
    Reader(
      name: "any-weights", seeds: [weights + "*.p*", weights + "*.caffemodel"], room: .packed
    ) { try readWeights($0) },
  ]

  private static func readTorch(_ file: FileBytes) throws {
    let opened = try TorchFile(file)
    _ = try opened.weights(under: "")
    _ = try opened.weights()
  }

  private static func readWeights(_ file: FileBytes) throws {
    _ = try Weights(file, at: Workplace.folder.appendingPathComponent("weights"))
  }
}

extension Reader.Room {
  /// Deflate packs 1032 bytes into one, and no better.
  static let packed = Self(factor: 2 * Gzip.greatestRatio + 64, base: 4 << 20)
  /// What libhdf5 takes in its own process comes to it: 64 MB at most where no sanitizer keeps its addresses unbounded, here
  /// in pieces of that size at most.
  static let hdf5 = Self(factor: packed.factor, base: 128 << 20)
}

// MARK: - Keras

extension Reader {
  private static let keras = weights + "keras.zip:"

  static let kerasFiles: [Reader] = [
    Reader(
      name: "hdf5", seeds: [keras + "types.h5", keras + "keras_c*.h5", keras + "keras_l*.h5"],
      room: .hdf5
    ) { file in
      _ = try KerasFile(file).torchWeights()
    },
    Reader(
      name: "keras-h5", seeds: [keras + "keras_cnn.h5", keras + "keras_sequences.h5"],
      room: .hdf5
    ) { file in try Inference.run(try KerasModel(KerasFile(file))) },
    Reader(
      name: "keras", seeds: [keras + "*.keras"], room: .hdf5, mutation: .archive
    ) { file in try Inference.run(try KerasModel(KerasFile(file))) },
    Reader(name: "keras-json", seeds: [keras + "*.json"], room: .model, mutation: .json) { file in
      try Inference.runKeras(configuration: file)
    },
  ]
}
