import Foundation
import Tarn
import Testing

/// `predict`, `run`, `evaluate`, `convert` and `train images` with networks of the zoo and photos.
@Suite struct PictureVerbTests {
  /// A picture of one colour with a little noise.
  private func picture(_ red: Int, _ green: Int, _ seed: Int, side: Int = 40) -> Image {
    let bytes = (0..<side * side).flatMap { place -> [UInt8] in
      let noise = (place &* 2_654_435_761 &+ seed &* 977) >> 5 & 31
      return [UInt8(red + noise), UInt8(green + noise), UInt8(40 + noise)]
    }
    return Image(width: side, height: side, channels: 3, bytes: bytes)
  }

  /// Two classes that colour tells apart, and files that are no pictures.
  private func folder(_ command: Command, _ name: String) throws {
    for (label, red, green) in [("أحمر", 180, 20), ("green", 20, 180)] {
      let folder = command.file(name).appendingPathComponent(label)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for number in 0..<12 {
        try picture(red, green, number).write(
          to: folder.appendingPathComponent("صورة \(number).png"))
      }
    }
    let base = command.file(name).appendingPathComponent("green")
    let whole = try picture(20, 180, 99).encoded(as: .jpeg)
    try Data(whole.prefix(whole.count / 2)).write(to: base.appendingPathComponent("cut.jpg"))
    try Data().write(to: base.appendingPathComponent("empty.jpg"))
    try Data("not a picture".utf8).write(to: base.appendingPathComponent("text.jpg"))
    try Image(width: 1, height: 1, filledWith: [20, 190, 40]).write(
      to: base.appendingPathComponent("one.png"))
    try Image(width: 20_000, height: 4, filledWith: [20, 190, 40]).write(
      to: base.appendingPathComponent("wide.png"))
  }

  @Test func `photos are learned, evaluated and predicted, and damaged files named`() throws {
    let command = try Command()
    try folder(command, "photos")
    let outcome = try command.run(
      "train", "images", "photos", "--model", "lenet", "--size", "16", "--epochs", "6", "--batch",
      "8", "--augment", "light", "--learning-rate", "0.003", "--out", "run", "--json")
    #expect(outcome.code == 0, "\(outcome.err)")
    for name in ["cut.jpg", "empty.jpg", "text.jpg"] { #expect(outcome.err.contains(name)) }
    let answer = try outcome.json()
    #expect(answer["train_samples"] as? Int == 21)
    #expect((answer["train_accuracy"] as? Double ?? 0) > 0.9)

    let evaluation = try command.run("evaluate", "run", "--data", "photos", "--json").json()
    #expect((evaluation["accuracy"] as? Double ?? 0) > 0.9)
    let prediction = try command.run(
      "predict", "run", "photos/أحمر/صورة 3.png", "--report", "page.html", "--json"
    ).json()
    let results = try #require(prediction["results"] as? [[String: Any]])
    #expect(results.first?["prediction"] as? String == "أحمر")
    #expect(String(decoding: try command.bytes("page.html"), as: UTF8.self).contains("أحمر"))

    let resumed = try command.run("train", "--resume", "run", "--epochs", "7", "--json")
    #expect(resumed.code == 0)
    #expect(try resumed.json()["epochs"] as? Int == 7)
  }

  @Test func `mixing and weights to begin with`() throws {
    let command = try Command()
    try folder(command, "photos")
    let model = Initialization.seeded(3) { SqueezeNet(.v1_1) }
    try model.weights.write(to: command.file("squeeze.safetensors"))
    let outcome = try command.run(
      "train", "images", "photos", "--model", "squeezenet1_1", "--weights", "squeeze.safetensors",
      "--head-only", "--size", "32", "--epochs", "1", "--mix", "both", "--augment", "strong",
      "--out", "run", "--json")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(outcome.err.contains("new: classifier.1.weight, classifier.1.bias"))
    let trained = try Weights(contentsOf: command.file("run/model.safetensors"))
    let first = try trained.tensor("features.0.weight").array(of: Float.self)
    #expect(first == model.weights["features.0.weight"]?.array(of: Float.self))
    #expect(try trained.tensor("classifier.1.weight").shape == [2, 512, 1, 1])
  }

  @Test func `folders that cannot be learned from are refused`() throws {
    let command = try Command()
    try FileManager.default.createDirectory(
      at: command.file("empty"), withIntermediateDirectories: true)
    let empty = try command.run("train", "images", "empty")
    #expect(empty.code == 65)
    #expect(empty.err.contains("has no folders in it"))
    #expect(try command.run("train", "images", "nowhere").code == 66)
    #expect(try command.run("train", "images", "empty", "--model", "resnet9").code == 66)
    #expect(!command.exists("runs"))
  }

  @Test func `a network of the zoo predicts, runs and is converted`() throws {
    let command = try Command()
    let model = Initialization.seeded(5) { SqueezeNet(.v1_1, classes: 1000) }
    try model.weights.write(to: command.file("w.safetensors"))
    try picture(120, 60, 1).write(to: command.file("a.png"))
    try picture(10, 200, 2).write(to: command.file("b.jpg"))
    try Data("no".utf8).write(to: command.file("c.jpg"))

    let outcome = try command.run(
      "predict", "squeezenet1_1", "a.png", "b.jpg", "c.jpg", "--weights", "w.safetensors",
      "--crop", "64", "--resize", "72", "--top", "3", "--json")
    #expect(outcome.code == 65)
    let answer = try outcome.json()
    let results = try #require(answer["results"] as? [[String: Any]])
    #expect(results.map { $0["file"] as? String } == ["a.png", "b.jpg"])
    let top = try #require(results[0]["top"] as? [[String: Any]])
    #expect(top.count == 3)
    #expect(top.allSatisfy { $0["class"] is Int && $0["name"] is String })
    let failures = try #require(answer["failures"] as? [[String: Any]])
    #expect(failures.map { $0["file"] as? String } == ["c.jpg"])

    let input = Tensor.uniform([2, 3, 64, 64], key: RandomKey(seed: 1))
    try NPZ.write(
      [("input", input), ("other", Tensor([1, 2] as [Float]))], to: command.file("x.npz"))
    let ran = try command.run(
      "run", "squeezenet1_1", "--weights", "w.safetensors", "--input", "x.npz", "--output",
      "y.safetensors")
    #expect(ran.code == 0)
    #expect(ran.out.contains("not read by squeezenet1_1: other"))
    let logits = try Weights(contentsOf: command.file("y.safetensors")).tensor("logits")
    #expect(logits.isClose(to: Phase.inference { model(input) }, relative: 1e-4, absolute: 1e-5))

    #expect(
      try command.run("convert", "w.safetensors", "m.onnx", "--model", "squeezenet1_1").code == 0)
    let graph = try command.run("inspect", "m.onnx", "--json").json()["graph"] as? [String: Any]
    #expect((graph?["unsupported"] as? [Any])?.isEmpty == true)
    try NPZ.write(
      [("input", Tensor.uniform([1, 3, 224, 224], key: RandomKey(seed: 2)))],
      to: command.file("z.npz"))
    let outputs = try command.run("run", "m.onnx", "--input", "z.npz", "--json").json()["outputs"]
    #expect((outputs as? [[String: Any]])?.first?["shape"] as? [Int] == [1, 1000])
  }

  @Test func `networks without weights say how to get them`() throws {
    let command = try Command()
    try picture(120, 60, 1).write(to: command.file("a.png"))
    let outcome = try command.run("predict", "resnet18", "a.png")
    #expect(outcome.code == 66)
    #expect(outcome.err.contains("tarn weights get resnet18"))
    #expect(try command.run("predict", "resnet81", "a.png").err.contains("resnet18"))
    #expect(try command.run("evaluate", "resnet18").code == 64)
    // A folder of the network's name is no run.
    try FileManager.default.createDirectory(
      at: command.file("resnet18"), withIntermediateDirectories: true)
    #expect(try command.run("predict", "resnet18", "a.png").err.contains("tarn weights get"))
    #expect(try command.run("summary", "resnet18").code == 0)
    let list = try command.run("summary", "--list", "--json").json()
    #expect((list["models"] as? [[String: Any]])?.count ?? 0 > 40)
    let one = try command.run("summary", "mobilenet-v1-0.25", "--json").json()
    #expect(one["parameters"] as? Int == 470_072)
    let weights = try command.run("weights", "list", "resnet50", "--json").json()
    #expect((weights["weights"] as? [[String: Any]])?.count == 2)
  }

  private static var data: URL? {
    ProcessInfo.processInfo.environment["TARN_DATA"].map { URL(fileURLWithPath: $0) }
  }

  @Test(
    .enabled(if: data != nil, "needs TARN_DATA"),
    arguments: [
      (
        "efficientnet-lite0", "efficientnet-lite0/efficientnet-lite0-57934424.pth",
        "efficientnet_lite0"
      ),
      ("squeezenet1_1", "squeezenet1_1/squeezenet1_1_float32.safetensors", "squeezenet1_1"),
      (
        "mobilenet-v1-0.25",
        "mobilenet_v1_0.25_224/mobilenet_v1_0.25_224_bnfolded_float32.safetensors",
        "mobilenet_v1_0.25_224"
      ),
    ])
  func `published weights see in photos what they see elsewhere`(
    _ model: String, _ weights: String, _ golden: String
  ) throws {
    let data = try #require(Self.data)
    let text = try Data(contentsOf: data.appendingPathComponent("golden/\(golden)_top5.json"))
    let known = try #require(
      (try JSONSerialization.jsonObject(with: text) as? [String: Any])?["images"]
        as? [String: [String: Any]])
    let files = known.keys.sorted()
    let command = try Command()
    let (process, out, err) = command.process(
      ["predict", model, "--weights", data.appendingPathComponent("models/\(weights)").path]
        + ["--labels", data.appendingPathComponent("labels/imagenet_synset_words.txt").path]
        + ["--top", "5", "--json"] + files.map { data.appendingPathComponent($0).path }, threads: 2)
    try process.run()
    process.waitUntilExit()
    let results = try #require(
      try command.outcome(process, out, err).json()["results"] as? [[String: Any]])
    #expect(results.count == files.count)
    for (file, result) in zip(files, results) {
      let wanted = try #require(known[file]?["top5"] as? [[Double]])
      let top = try #require(result["top"] as? [[String: Any]])
      #expect(top.first?["class"] as? Int == wanted.first.map { Int($0[0]) }, "\(file)")
      let difference = (top.first?["probability"] as? Double ?? 0) - (wanted.first?[1] ?? 1)
      #expect(abs(difference) < 1e-3, "\(file)")
    }
  }
}
