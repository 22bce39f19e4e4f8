using ImapDirector.Network.Polling;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class PollTargetsTests
{
    private readonly PollTargets _targets = new();

    [Fact]
    public void Whoever_was_taken_in_is_found_by_its_name_until_it_is_taken_out()
    {
        var (one, other) = (new Target(), new Target());
        var (first, second) = (_targets.Add(one), _targets.Add(other));
        Assert.NotEqual(first, second);
        Assert.DoesNotContain(0ul, new[] { first, second });
        Assert.Same(one, _targets.Find(first));
        Assert.Same(other, _targets.Find(second));
        Assert.True(_targets.Remove(first));
        Assert.Null(_targets.Find(first));
        Assert.Same(other, _targets.Find(second));
    }

    [Fact]
    public void Nobody_is_called_what_was_never_given()
    {
        Assert.Null(_targets.Find(0));
        Assert.Null(_targets.Find(ulong.MaxValue));
        var name = _targets.Add(new Target());
        Assert.Null(_targets.Find(name + 1));
        Assert.Null(_targets.Find(name + (1ul << 32)));
        Assert.False(_targets.Remove(name + (1ul << 32)));
        Assert.Equal(1, _targets.Count);
    }

    [Fact]
    public void Whoever_is_taken_out_twice_takes_nobody_else_along()
    {
        var old = _targets.Add(new Target());
        Assert.True(_targets.Remove(old));
        Assert.False(_targets.Remove(old));
        var next = new Target();
        var name = _targets.Add(next);
        Assert.NotEqual(old, name);
        Assert.False(_targets.Remove(old));
        Assert.Same(next, _targets.Find(name));
        Assert.Equal(1, _targets.Count);
        // Had its place been given back twice, two would have it now.
        Assert.NotEqual(_targets.Add(new Target()), _targets.Add(new Target()));
        Assert.Equal(3, _targets.All().Distinct().Count());
    }

    [Fact]
    public void However_many_there_are_each_keeps_its_name()
    {
        var all = Enumerable.Range(0, 1000).Select(static _ => new Target()).ToArray();
        var names = all.Select(_targets.Add).ToArray();
        Assert.Equal(all.Length, _targets.Count);
        Assert.Equal(all, names.Select(_targets.Find));
        Assert.Equal(all, _targets.All());

        foreach (var name in names.Where(static (_, index) => index % 2 == 0)) Assert.True(_targets.Remove(name));
        Assert.Equal(500, _targets.Count);
        var again = Enumerable.Range(0, 500).Select(_ => _targets.Add(new Target())).ToArray();
        Assert.Empty(names.Intersect(again));
        Assert.Equal(1000, _targets.All().Distinct().Count());
        Assert.All(names.Where(static (_, index) => index % 2 == 0), name => Assert.Null(_targets.Find(name)));
    }

    [Fact]
    public void Another_has_the_name_from_then_on_and_nobody_gets_one_that_is_gone()
    {
        var (one, other) = (new Target(), new Target());
        var name = _targets.Add(one);
        _targets.Replace(name, other);
        Assert.Same(other, _targets.Find(name));
        Assert.Equal(1, _targets.Count);
        _targets.Remove(name);
        _targets.Replace(name, one);
        Assert.Null(_targets.Find(name));
        Assert.Empty(_targets.All());
    }

    [Fact]
    public async Task An_old_name_never_finds_a_new_target_whoever_comes_and_goes_meanwhile()
    {
        const int rounds = 200_000;
        var published = new Named(0, new Target());
        var hasEnded = false;
        var wrong = 0L;
        // The loop's thread: it looks up what may have been taken out a moment ago.
        var looking = Task.Factory.StartNew(() =>
        {
            while (!Volatile.Read(ref hasEnded))
            {
                var named = Volatile.Read(ref published);
                for (var i = 0; i < 20; i++)
                {
                    if (_targets.Find(named.Name) is { } found && found != named.Target) Interlocked.Increment(ref wrong);
                }
            }
        }, TaskCreationOptions.LongRunning);
        var coming = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var mine = new Queue<Named>();
            for (var i = 0; i < rounds; i++)
            {
                var target = new Target();
                var named = new Named(_targets.Add(target), target);
                mine.Enqueue(named);
                Volatile.Write(ref published, named);
                if (mine.Count > i % 100 && mine.TryDequeue(out var oldest) && !_targets.Remove(oldest.Name)) Interlocked.Increment(ref wrong);
            }
            foreach (var left in mine)
            {
                if (!_targets.Remove(left.Name)) Interlocked.Increment(ref wrong);
            }
        })).ToArray();
        await Task.WhenAll(coming);
        Volatile.Write(ref hasEnded, true);
        await looking;

        Assert.Equal(0, wrong);
        Assert.Equal(0, _targets.Count);
    }

    private sealed record Named(ulong Name, IPollTarget Target);

    private sealed class Target : IPollTarget
    {
        public int Descriptor => -1;

        public void OnReady(PollEvents events)
        {
        }

        public void OnGivenUp()
        {
        }
    }
}
