import Foundation
import Tarn
import TarnData
import TarnInterop
import TarnNN
import TarnText
import TarnTrain

extension Reader.Room {
  /// A short text may stand for a small model.
  static let model = Self(factor: 512, base: 4 << 20)
}

extension Reader {
  static let models: [Reader] = [
    Reader(
      name: "onnx-run", seeds: ["Tests/Goldens/onnx.safetensors:*/model"],
      room: Room(factor: 1024, base: 16 << 20), mutation: .graph
    ) { try Inference.runONNX($0) },
    Reader(name: "model-json", room: .model, mutation: .json) { file in
      let data = file.withBytes { Data($0) }
      let first = file.withBytes { Int($0.last ?? 0) }
      // What a file describes is not told by it; so each sort of model is tried in turn.
      let kinds: [any TensorStructure.Type] = [
        RecurrentLanguageModel.self, TransformerLanguageModel.self, MLP.self, Adam.self,
      ]
      var problem: (any Error)?
      for i in kinds.indices {
        do {
          let kind = kinds[(i + first) % kinds.count]
          _ = try kind.init(configuration: data, weights: SampleRun.weights, file: file.name)
          return
        } catch { problem = error }
      }
      if let problem { throw problem }
    },
  ]

  static let runs: [Reader] = [
    Reader(name: "run", room: .model, mutation: .json) { file in
      let folder = try SampleRun.changed("run.json", to: file)
      let run = try RunFolder(opening: folder)
      if let card = try run.description().model { _ = try card.model(seed: nil) }
    },
    Reader(name: "checkpoint", room: .model, mutation: .json) { file in
      let folder = try SampleRun.changed("checkpoint-0/state.json", to: file)
      _ = try RunFolder(opening: folder).history()
    },
    Reader(name: "manifest", room: .model, mutation: .json) { file in
      let folder = try SampleRun.changed("checkpoint-0/manifest.json", to: file)
      _ = try RunFolder(opening: folder).history()
    },
    Reader(name: "text-run", room: .model, mutation: .json) { file in
      let folder = try SampleRun.changed("text.json", to: file)
      let run = try TextRun(RunFolder(opening: folder))
      _ = try run.model()
    },
  ]
}
