using CsCheck;
using ImapDirector.Director.Directory;
using Xunit;

namespace ImapDirector.Director.Tests.Directory;

public sealed class BoundedCacheTests
{
    [Fact]
    public void It_holds_what_was_set_last_and_never_more_than_its_capacity() =>
        Gen.Select(Gen.Int[1, 8], Gen.Select(Gen.Int[0, 12], Gen.Int[0, 3]).Array[0, 100]).Sample((capacity, steps) =>
        {
            var cache = new BoundedCache<int, int>(capacity);
            var model = new List<(int Key, int Value)>();
            for (var i = 0; i < steps.Length; i++)
            {
                var (key, action) = steps[i];
                model.RemoveAll(entry => entry.Key == key);
                if (action == 0)
                {
                    cache.Remove(key);
                    continue;
                }
                cache.Set(key, i);
                model.Add((key, i));
                if (model.Count > capacity) model.RemoveAt(0);
            }
            return cache.Count == model.Count
                && Enumerable.Range(0, 13).All(key => cache.TryGet(key, out var value) == model.Exists(entry => entry.Key == key)
                    && model.TrueForAll(entry => entry.Key != key || entry.Value == value));
        });
}
