# What a user of UPS::Nut does, told one fact a line with tabs between the words. Arguments: port,
# user, password, new value of ups.id, port of the server whose UPS ups-nut gets FSD.

use strict;
use warnings;
use UPS::Nut;

my ($port, $user, $password, $value, $doomed) = @ARGV;

sub fact { print join("\t", map { defined $_ ? $_ : "undef" } @_), "\n" }

# told returns the result of a call, or prints what the client says went wrong.
sub told {
	my ($nut, $name, $result) = @_;
	fact("error", $name, $nut->Error) unless defined $result;
	return $result;
}

sub client {
	return UPS::Nut->new(HOST => "127.0.0.1", PORT => $port, TIMEOUT => 10, @_);
}

for my $ups ("rack", "desk") {
	my $nut = client(NAME => $ups, USERNAME => $user, PASSWORD => $password);
	if ($ups eq "rack") {
		my $list = told($nut, "list", $nut->ListUPS);
		fact("ups", $_, $list->{$_}) for sort keys %$list;
	}
	my $vars = told($nut, "variables", $nut->ListVar);
	for (sort keys %$vars) {
		fact("var", $ups, $_, $vars->{$_});
		fact("desc", $ups, $_, told($nut, "description", $nut->GetDesc($_)));
		fact("type", $ups, $_, told($nut, "type", $nut->GetType($_)));
	}
	my $rw = told($nut, "writable", $nut->ListRW);
	fact("rw", $ups, $_, "") for sort keys %$rw;
	my $cmds = told($nut, "commands", $nut->ListCmd);
	fact("cmd", $ups, $_, "") for @$cmds;
	fact("did", "status of $ups", $nut->Status);
	fact("did", "charge of $ups", $nut->BattPercent);
	next if $ups eq "rack";
	told($nut, "description of a command", $nut->GetCmdDesc("beeper.mute"));
	fact("did", "set", told($nut, "set", $nut->Set("ups.id", $value)));
	fact("did", "command", told($nut, "command", $nut->InstCmd("beeper.mute")));
	told($nut, "command that is none", $nut->InstCmd("no.such"));
	fact("did", "master", told($nut, "master", $nut->Master));
	my $monitor = client(NAME => $ups, USERNAME => $user, PASSWORD => $password, LOGIN => 1);
	fact("did", "login", $monitor ? 1 : 0);
}

my $nut = client(NAME => "ups-nut", PORT => $doomed, USERNAME => $user, PASSWORD => $password);
fact("did", "fsd", told($nut, "fsd", $nut->Master && $nut->FSD));
