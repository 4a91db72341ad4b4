import Foundation
import TarnCore
import TarnData
import TarnTrain
import Testing

struct OptionsTests {
  @Test(arguments: [
    "constant", "step:10,0.5", "exponential:0.97", "cosine", "cosine:0.001", "one-cycle",
    "plateau:0.5,3",
  ])
  func schedulesHaveAText(_ text: String) throws {
    #expect(try #require(ScheduleKind(text)).description == text)
  }

  @Test(arguments: [
    "", "step", "step:0,0.5", "step:1", "cosine:-1", "cosine:", "plateau:0.5,-1", "exponential:inf",
    "constant:1", "warm",
  ])
  func otherTextsAreNoSchedules(_ text: String) { #expect(ScheduleKind(text) == nil) }

  @Test func optionsSurviveJSON() throws {
    var options = TrainingOptions()
    options.schedule = .plateau(factor: 0.25, patience: 2)
    options.training = .except("fc")
    options.clipNorm = 1.5
    options.seed = .max
    let again = try JSONDecoder().decode(
      TrainingOptions.self, from: JSONEncoder().encode(options))
    #expect(again == options)
  }

  @Test func digestsFollowTheData() throws {
    let data = Problem.clouds
    let digest = try DataDescription(of: data, name: "a").digest
    #expect(try DataDescription(of: data, name: "b").digest == digest)
    #expect(try DataDescription(of: data.take(49), name: "a").digest != digest)
    var features = Problem.wholeClouds.features.array(of: Float.self)
    features[37] += 1e-3
    let changed = TensorSource(
      features: Tensor(features, shape: [50, 2]), labels: Problem.wholeClouds.labels)
    #expect(try DataDescription(of: changed, name: "a").digest != digest)
  }

  @Test func memoryIsMeasured() {
    let before = ProcessMemory.peakBytes
    #expect(before > 1 << 20)
    let block = [UInt8](repeating: 1, count: before + 1 << 24)
    #expect(ProcessMemory.peakBytes > block.count)
  }
}
