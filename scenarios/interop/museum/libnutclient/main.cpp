// What a user of libnutclient does, told one fact a line with tabs between the words. Arguments:
// port, user, password, new value of ups.id, port of the server whose UPS libnutclient gets FSD.

#include <nutclient.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <unistd.h>

using namespace nut;

static const char tab = '\t';

// step prints what went wrong, if something did.
static void step(const std::string &name, const std::function<void()> &f) {
	try {
		f();
	} catch (std::exception &e) {
		std::cout << "error" << tab << name << tab << e.what() << std::endl;
	}
}

static std::string joined(const std::vector<std::string> &words) {
	std::string all;
	for (auto &w : words) all += (all.empty() ? "" : " | ") + w;
	return all;
}

static void read(TcpClient &c, const std::string &ups) {
	std::cout << "ups" << tab << ups << tab << c.getDeviceDescription(ups) << "\n";
	step("variables of " + ups, [&] {
		for (auto &v : c.getDeviceVariableValues(ups))
			std::cout << "var" << tab << ups << tab << v.first << tab << joined(v.second) << "\n";
		for (auto &name : c.getDeviceVariableNames(ups))
			std::cout << "desc" << tab << ups << tab << name << tab
			          << c.getDeviceVariableDescription(ups, name) << "\n";
		for (auto &name : c.getDeviceRWVariableNames(ups))
			std::cout << "rw" << tab << ups << tab << name << tab << "\n";
		for (auto &name : c.getDeviceCommandNames(ups)) {
			std::cout << "cmd" << tab << ups << tab << name << tab << "\n";
			std::cout << "cmddesc" << tab << ups << tab << name << tab
			          << c.getDeviceCommandDescription(ups, name) << "\n";
		}
	});
}

// ended waits until the driver has done what was asked, or says why not.
static std::string ended(TcpClient &c, const TrackingID &id) {
	const char *names[] = {"unknown", "pending", "success", "invalid argument", "failure"};
	TrackingResult r = PENDING;
	for (int i = 0; i < 500 && (r = c.getTrackingResult(id)) == PENDING; i++) usleep(10000);
	return names[r];
}

static void write(TcpClient &c, const std::string &value) {
	step("tracking", [&] {
		bool on = c.isFeatureEnabled(Client::TRACKING);
		std::cout << "did" << tab << "tracking before" << tab << on << "\n";
		c.setFeature(Client::TRACKING, true);
		on = c.isFeatureEnabled(Client::TRACKING);
		std::cout << "did" << tab << "tracking after" << tab << on << "\n";
	});
	step("set", [&] {
		std::string result = ended(c, c.setDeviceVariable("desk", "ups.id", value));
		std::cout << "did" << tab << "set" << tab << result << "\n";
	});
	step("command", [&] {
		std::string result = ended(c, c.executeDeviceCommand("desk", "beeper.mute"));
		std::cout << "did" << tab << "command" << tab << result << "\n";
	});
	step("command that is none", [&] { c.executeDeviceCommand("desk", "no.such"); });
}

int main(int, char **argv) {
	TcpClient c;
	c.setTimeout(10);
	step("connect", [&] { c.connect("127.0.0.1", std::atoi(argv[1])); });
	step("authenticate", [&] { c.authenticate(argv[2], argv[3]); });
	step("devices", [&] {
		for (auto &name : c.getDeviceNames()) read(c, name);
		// All at once: every request is sent before the first reply is read.
		for (auto &d : c.getDevicesVariableValues({"rack", "desk"}))
			for (auto &v : d.second)
				std::cout << "bulk" << tab << d.first << tab << v.first << tab << joined(v.second) << "\n";
	});
	step("login", [&] {
		c.deviceLogin("desk");
		std::cout << "did" << tab << "logins" << tab << c.deviceGetNumLogins("desk") << "\n";
	});
	step("primary", [&] {
		c.devicePrimary("desk");
		std::cout << "did" << tab << "primary" << tab << "granted" << "\n";
	});
	write(c, argv[4]);
	step("logout", [&] { c.logout(); });
	step("fsd", [&] {
		TcpClient doomed("127.0.0.1", std::atoi(argv[5]));
		doomed.authenticate(argv[2], argv[3]);
		doomed.devicePrimary("libnutclient");
		doomed.deviceForcedShutdown("libnutclient");
		std::cout << "did" << tab << "fsd" << tab << "set" << "\n";
	});
}
