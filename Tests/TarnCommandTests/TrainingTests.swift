import Foundation
import Tarn
import Testing

/// Training, evaluating and predicting on data that is there.
@Suite struct TrainingTests {
  @Test func demonstrationLearnsDigits() throws {
    let command = try Command()
    let outcome = try command.run("demo", "--json", threads: 2)
    #expect(outcome.code == 0)
    let answer = try outcome.json()
    let accuracy = try #require(answer["test_accuracy"] as? Double)
    #expect(accuracy >= 0.97)
    #expect(answer["run"] as? String == "runs/demo-1")
    #expect(answer["seed"] as? Int == 1)
    for key in [
      "seconds", "samples_per_second", "peak_rss_mb", "train_loss", "epochs", "parameters",
      "report", "stop_reason",
    ] {
      #expect(answer[key] != nil, "\(key)")
    }
    #expect(outcome.err.contains("epoch"))
  }

  @Test func demonstrationShowsWhatWasLearned() throws {
    let command = try Command()
    let outcome = try command.run("demo", "--epochs", "2")
    #expect(outcome.code == 0)
    #expect(outcome.err.isEmpty)
    for words in ["loss", "█", "held-out", "seed 1", "runs/demo-1/index.html", "Try next:"] {
      #expect(outcome.out.contains(words), "\(words)")
    }
    #expect(command.exists("runs/demo-1/index.html"))
    for line in outcome.out.split(separator: "\n") where line.hasPrefix("  tarn ") {
      let words = line.dropFirst(7).components(separatedBy: "    #")[0].split(separator: " ")
      let (process, out, err) = command.process(words.map(String.init))
      try process.run()
      process.waitUntilExit()
      #expect(try command.outcome(process, out, err).code == 0, "\(line)")
    }
  }

  @Test func reportIsComplete() throws {
    let command = try Command()
    let outcome = try command.run(
      "train", "images", "digits", "--hidden", "32", "--epochs", "2", "--out", "run", "--quiet")
    #expect(outcome.code == 0)
    let page = String(decoding: try command.bytes("run/index.html"), as: UTF8.self)
    for title in [
      "Learning", "Classes", "Mistakes", "Weights", "Largest absolute weight", "Model", "Settings",
      "test accuracy", "tarn train --resume run",
    ] {
      #expect(page.contains(title), "\(title)")
    }
    #expect(!page.contains("<script"))
    #expect(!page.contains("src=\"http"))
  }

  @Test func evaluatesAndPredictsPictures() throws {
    let command = try Command()
    let trained = try command.run(
      "train", "images", "digits", "--epochs", "8", "--out", "run", "--json"
    ).json()
    let figures = try command.run("evaluate", "run", "--json").json()
    #expect(figures["accuracy"] as? Double == trained["test_accuracy"] as? Double)
    let confusion = try #require(figures["confusion"] as? [[Int]])
    #expect(confusion.joined().reduce(0, +) == figures["count"] as? Int)

    let (images, labels) = Digits.load()
    let digits = (images[0..<20].reshaped([20, 8, 8]) * 255).round().cast(to: .uint8)
    try IDX.write(digits, to: command.file("digits.idx"))
    try Netpbm.writeGrey(digits[0], to: command.file("digit.pgm"))
    try Netpbm.writeGrey(Tensor.zeros([28, 28], dtype: .uint8), to: command.file("large.pgm"))
    try command.write("no picture", to: "text.pgm")
    let answer = try command.run("predict", "run", "digit.pgm", "digits.idx", "--json").json()
    let results = try #require(answer["results"] as? [[String: Any]])
    #expect(results.count == 21)
    let top = try #require(results[0]["top"] as? [[String: Any]])
    #expect(top.count == 5)
    #expect(top.allSatisfy { ($0["probability"] as? Double) != nil && $0["name"] is String })
    let actual = labels[0..<20].array(of: Int.self).map(String.init)
    let right = zip(results.dropFirst(), actual).count { $0["prediction"] as? String == $1 }
    #expect(right >= 15)
    #expect(results[0]["prediction"] as? String == results[1]["prediction"] as? String)

    let large = try command.run("predict", "run", "large.pgm")
    #expect(large.code == 65)
    #expect(large.err.contains("28×28"))
    #expect(large.err.contains("8×8"))
    #expect(try command.run("predict", "run", "text.pgm").code == 65)
    #expect(try command.run("predict", "run", "nowhere.pgm").code == 66)
    #expect(try command.run("summary", "run", "--json").json()["kind"] as? String == "mlp")
  }

  @Test func learnsATableOfClasses() throws {
    let command = try Command()
    let moons = try Synthetic.moons(300, noise: 0.1, seed: 1).all()
    let points = moons.features.array(of: Double.self)
    let labels = moons.labels.array(of: Int.self)
    let lines = labels.indices.map {
      "\(points[2 * $0]),\(points[2 * $0 + 1]),\(labels[$0] == 0 ? "upper" : "lower")"
    }
    try command.write((["x,y,moon"] + lines).joined(separator: "\n"), to: "moons.csv")
    let answer = try command.run(
      "train", "table", "moons.csv", "--target", "moon", "--epochs", "30", "--out", "run",
      "--json"
    ).json()
    #expect(try #require(answer["test_accuracy"] as? Double) > 0.9)
    #expect(answer["test_f1"] as? Double != nil)
    let page = String(decoding: try command.bytes("run/index.html"), as: UTF8.self)
    #expect(page.contains("What the model decides"))
    try command.write("x,y\n-0.9,0.4\n1.9,0.1\n", to: "new.csv")
    let results = try #require(
      try command.run("predict", "run", "new.csv", "--json").json()["results"]
        as? [[String: Any]])
    #expect(results.map { $0["prediction"] as? String } == ["upper", "lower"])
    let other = try command.run("evaluate", "run", "--data", "moons.csv", "--json").json()
    #expect(other["count"] as? Int == 300)
  }

  @Test func learnsATableOfNumbers() throws {
    let command = try Command()
    let rows = (0..<200).map { row -> String in
      let (size, town) = (Double(row % 50), ["Oslo", "Bergen"][row % 2])
      return "\(size),\(town),\(1000 * size + (town == "Oslo" ? 20000 : 0) + 500)"
    }
    try command.write((["size,town,price"] + rows).joined(separator: "\n"), to: "homes.csv")
    let answer = try command.run(
      "train", "table", "homes.csv", "--target", "price", "--epochs", "60", "--out", "run",
      "--json"
    ).json()
    #expect(try #require(answer["test_r2"] as? Double) > 0.95)
    #expect(answer["test_accuracy"] == nil)
    try command.write("size,town\n25,Oslo\n", to: "new.csv")
    let results = try #require(
      try command.run("predict", "run", "new.csv", "--json").json()["results"]
        as? [[String: Any]])
    let value = try #require(results.first?["value"] as? Double)
    #expect(abs(value - 45500) < 8000)
    try command.write("size,town\n25,Rome\n", to: "odd.csv")
    let odd = try command.run("predict", "run", "odd.csv")
    #expect(odd.code == 65)
    #expect(odd.err.contains("'Rome' did not occur in training"))
  }
}
